// SPDX-License-Identifier: Apache-2.0
#include "wcs-sim/signalling.hpp"

#include <wcs_node_agent/ascii.hpp>

#include <algorithm>
#include <array>
#include <optional>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace wcs_node_agent::sim {

using nlohmann::json;

namespace {

constexpr std::size_t most_streams_of_a_session = 32;
constexpr std::size_t longest_name = 200;  // bytes, of a stream or a mediaSessionId
constexpr double most_kbps = 100'000;
constexpr int deepest_message = 32;  // brackets; what is deeper overflows a recursive writer

std::string message_of(std::string_view name, json data) {
    return json{{"message", name}, {"data", std::move(data)}}.dump(-1, ' ', false,
                                                                   json::error_handler_t::replace);
}

std::string status_event(std::string_view id, std::string_view name, MediaDirection direction,
                         std::string_view status, std::string_view info = {}) {
    json event{{"mediaSessionId", id},
               {"name", name},
               {"status", status},
               {"published", direction == MediaDirection::receive}};
    if (!info.empty()) {
        event["info"] = info;
    }
    return message_of("notifyStreamStatusEvent", json::array({event}));
}

std::string fail(std::string_view method, std::string_view info) {
    return message_of("fail", json::array({{{"apiMethod", method}, {"info", info}}}));
}

std::string text_member(const json& data, const char* name) {
    const auto found = data.find(name);
    return found != data.end() && found->is_string() ? found->get<std::string>() : std::string();
}

/// In [0, most]; 0 where there is none.
double number_member(const json& data, const char* name, double most) {
    const auto found = data.find(name);
    if (found == data.end() || !found->is_number()) {
        return 0;
    }
    const double number = *found;
    return number > 0 ? std::min(number, most) : 0;
}

Seconds ramp_of(const json& data) {
    constexpr double longest_ms = 3'600'000;
    const auto custom = data.find("custom");
    return Seconds(custom == data.end() ? 0 : number_member(*custom, "rampMs", longest_ms) / 1000);
}

/// What the page, a text of lines, can hold.
bool is_name(std::string_view name) {
    return !name.empty() && name.size() <= longest_name &&
           std::ranges::none_of(name, wcs_node_agent::is_ascii_control);
}

/// What the SDK sends unasked and nobody answers.
bool is_unanswered(std::string_view message) {
    static constexpr std::array names{"pong", "ping", "pushLogs", "webRTCMetricsClientDescription",
                                      "webRTCMetricsBatch"};
    return std::ranges::find(names, message) != names.end();
}

struct Message {
    std::string name;
    json data;  // the first of its data; an object, empty where there is none
};

Result<Message> parse(std::string_view text) {
    bool too_deep = false;
    const auto bounded = [&too_deep](int depth, json::parse_event_t, const json&) {
        too_deep = too_deep || depth > deepest_message;
        return !too_deep;
    };
    auto message = json::parse(text, bounded, false);
    if (too_deep) {
        return Error{fmt::format("brackets more than {} deep", deepest_message)};
    }
    if (message.is_discarded() || !message.is_object() || !message.contains("message") ||
        !message["message"].is_string()) {
        return Error{R"(not {"message": NAME, "data": [...]})"};
    }
    auto data = json::object();
    if (const auto found = message.find("data"); found != message.end() && found->is_array() &&
                                                 !found->empty() && found->front().is_object()) {
        data = found->front();
    }
    return Message{message["message"], std::move(data)};
}

}  // namespace

Signalling::Client Signalling::connect(std::string session_id, Send send) {
    sessions_.emplace(++last_, Session{std::move(session_id), std::move(send), false, {}});
    return last_;
}

Result<void> Signalling::receive(Client client, std::string_view text) {
    const auto message = parse(text);
    if (!message) {
        return message.error();
    }
    auto& session = sessions_.at(client);
    const auto& [name, data] = *message;
    if (is_unanswered(name)) {
        return {};
    }
    if (name == "connection") {
        establish(session, data);
    } else if (!session.established) {
        session.send(fail(name, "Session not ready: send connection first"));
    } else if (name == "publishStream") {
        start(client, data, MediaDirection::receive);
    } else if (name == "playStream") {
        start(client, data, MediaDirection::send);
    } else if (name == "unPublishStream" || name == "stopStream") {
        stop(client, data);
    } else if (name == "availableStream") {
        report_availability(session, data);
    } else if (name == "sendStreamEvent") {
        forward_event(client, data);
    } else {
        session.send(fail(name, fmt::format("wcs-sim does not do {:.80}", name)));
    }
    return {};
}

void Signalling::provide(std::string name) { provided_.insert(std::move(name)); }

double Signalling::media_mbps(Clock::time_point now) const {
    double sum = 0;
    for (const auto& [client, session] : sessions_) {
        for (const auto& [id, stream] : session.streams) {
            sum += stream.mbps_at(now);
        }
    }
    return sum;
}

double Signalling::Stream::mbps_at(Clock::time_point now) const {
    const Seconds age = now - since;
    return age < ramp ? mbps * (age / ramp) : mbps;
}

void Signalling::ping(Client client) {
    sessions_.at(client).send(message_of("ping", json::array({nullptr})));
}

void Signalling::disconnect(Client client) {
    auto session = sessions_.extract(client);
    for (const auto& [id, stream] : session.mapped().streams) {
        if (stream.direction == MediaDirection::receive) {
            published_.erase(stream.name);
            stop_players(stream.name);
        }
    }
}

LiveCounts Signalling::counts() const {
    LiveCounts counts;
    counts.sessions = sessions_.size();
    counts.published = published_.size();
    std::map<std::string_view, std::size_t> players;
    for (const auto& [client, session] : sessions_) {
        for (const auto& [id, stream] : session.streams) {
            if (stream.direction == MediaDirection::send) {
                ++players[stream.name];
                ++counts.played;
            }
        }
    }
    for (const auto& name : published_) {
        counts.viewers.emplace_back(name, players[name]);
    }
    return counts;
}

std::vector<SessionState> Signalling::sessions() const {
    std::vector<SessionState> states;
    for (const auto& [client, session] : sessions_) {
        auto& state = states.emplace_back(session.id);
        for (const auto& [id, stream] : session.streams) {
            state.streams.push_back({id, stream.name, stream.direction});
        }
    }
    return states;
}

/// The SDK takes its session for established by what it sent, with a token for the media providers.
void Signalling::establish(Session& session, const json& data) {
    session.established = true;
    auto user = data;
    user["authToken"] = session.id;
    session.send(message_of("getUserData", json::array({std::move(user)})));
}

void Signalling::start(Client client, const json& data, MediaDirection direction) {
    auto& session = sessions_.at(client);
    const auto id = text_member(data, "mediaSessionId");
    const auto name = text_member(data, "name");
    const auto refuse = [&](std::string_view why) {
        session.send(status_event(id, name, direction, "FAILED", why));
    };
    if (!is_name(id) || session.streams.contains(id)) {
        return refuse("mediaSessionId is missing, too long or in use");
    }
    if (!is_name(name)) {
        return refuse(
            fmt::format("a stream's name has 1 to {} bytes, none of them a control "
                        "character",
                        longest_name));
    }
    if (session.streams.size() >= most_streams_of_a_session) {
        return refuse(fmt::format("a session has {} streams at most", most_streams_of_a_session));
    }
    const bool exists = published_.contains(name) || provided_.contains(name);
    if (direction == MediaDirection::receive && exists) {
        return refuse("Stream name is already in use");
    }
    if (direction == MediaDirection::send && !exists) {
        return refuse("Session does not exist");
    }
    auto answer = sdp_answer(text_member(data, "sdp"), direction, random_ice_identity());
    if (!answer) {
        return refuse("Failed to add stream to proxy: " + answer.error().what);
    }
    Stream stream{.name = name, .direction = direction};
    if (direction == MediaDirection::receive) {
        published_.insert(name);
    } else {
        stream.mbps = number_member(data, "bitrate", most_kbps) / 1000;
        stream.ramp = ramp_of(data);
        stream.since = Clock::now();
    }
    session.streams.emplace(id, std::move(stream));
    session.send(message_of("setRemoteSDP", json::array({id, std::move(*answer)})));
    session.send(status_event(id, name, direction,
                              direction == MediaDirection::receive ? "PUBLISHING" : "PLAYING"));
}

void Signalling::stop(Client client, const json& data) {
    auto& session = sessions_.at(client);
    const auto id = text_member(data, "mediaSessionId");
    const auto found = session.streams.find(id);
    if (found == session.streams.end()) {
        session.send(fail("stopStream", "no stream with this mediaSessionId"));
        return;
    }
    const auto stream = found->second;
    session.streams.erase(found);
    const bool published = stream.direction == MediaDirection::receive;
    session.send(status_event(id, stream.name, stream.direction,
                              published ? "UNPUBLISHED" : "STOPPED", "Stopped by user"));
    if (published) {
        published_.erase(stream.name);
        stop_players(stream.name);
    }
}

void Signalling::stop_players(const std::string& name) {
    for (auto& [client, session] : sessions_) {
        std::erase_if(session.streams, [&](const auto& entry) {
            const auto& [id, stream] = entry;
            if (stream.direction == MediaDirection::receive || stream.name != name) {
                return false;
            }
            session.send(
                status_event(id, name, stream.direction, "STOPPED", "Stopped by publisher stop"));
            return true;
        });
    }
}

void Signalling::report_availability(const Session& session, const json& data) const {
    const auto name = text_member(data, "name");
    const bool available = published_.contains(name) || provided_.contains(name);
    session.send(message_of("availableStream",
                            json::array({{{"id", text_member(data, "mediaSessionId")},
                                          {"status", available ? "true" : "false"},
                                          {"info", available ? "" : "Session does not exist"}}})));
}

/// A publisher's event, such as its payload or a muted track, goes to its players.
void Signalling::forward_event(Client client, const json& data) const {
    const auto& streams = sessions_.at(client).streams;
    const auto published = streams.find(text_member(data, "mediaSessionId"));
    if (published == streams.end()) {
        return;
    }
    for (const auto& [other, session] : sessions_) {
        for (const auto& [id, stream] : session.streams) {
            if (stream.direction == MediaDirection::send && stream.name == published->second.name) {
                auto event = data;
                event["mediaSessionId"] = id;
                session.send(message_of("notifyStreamEvent", json::array({std::move(event)})));
            }
        }
    }
}

}  // namespace wcs_node_agent::sim
