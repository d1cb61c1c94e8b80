// SPDX-License-Identifier: Apache-2.0
#include "control/control_protocol.hpp"

#include "config/json.hpp"
#include "control/word_file.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

namespace wcs_node_agent {

std::optional<Word> word_in(std::string_view request) {
    const auto found =
        std::ranges::find(all_words, request, [](Word word) { return to_string(word); });
    return found == all_words.end() ? std::nullopt : std::optional(*found);
}

SessionsLeft sessions_left(const Snapshot* snapshot, Clock::time_point now) {
    if (snapshot == nullptr || !snapshot->wcs.asked)
        return {.unknown = "wcs: has not been asked yet"};
    const auto& wcs = snapshot->wcs;
    if (wcs.fault != WcsFault::none && wcs.fault != WcsFault::missing_name)
        return {.unknown = "wcs: " + wcs.fault_text};
    if (!wcs.counts.missing.empty())
        return {.unknown = "wcs: the page has no number " + wcs.counts.missing};
    SessionsLeft left{.count = 0};
    for (const auto& part : {wcs.publishers, wcs.subscribers, wcs.hls}) {
        if (!part) return {.unknown = "wcs: the page lacks a count"};
        *left.count += part->value;
        left.page_age = std::max(left.page_age, Seconds(now - part->at).count());
    }
    return left;
}

std::string to_line(const ControlReply& reply) {
    Json json = word_json(reply.word);
    json["error"] = reply.error;
    json["changed"] = reply.changed;
    json["not_kept"] = reply.not_kept;
    json["sessions"] = reply.sessions.count ? Json(*reply.sessions.count) : Json();
    json["sessions_unknown"] = reply.sessions.unknown;
    json["page_age_seconds"] = reply.sessions.page_age;
    json["silent_balancers"] = reply.silent;
    json["awaiting_ready"] = reply.awaiting_ready;
    return json.dump(-1, ' ', false, Json::error_handler_t::replace) + '\n';
}

std::optional<ControlReply> read_reply(std::string_view line) {
    const Json json = Json::parse(line, nullptr, false);
    const auto word = read_word(json);
    if (!word) return std::nullopt;
    try {
        ControlReply reply;
        reply.word = *word;
        reply.error = json.at("error");
        reply.changed = json.at("changed");
        reply.not_kept = json.at("not_kept");
        if (!json.at("sessions").is_null()) reply.sessions.count = json.at("sessions");
        reply.sessions.unknown = json.at("sessions_unknown");
        reply.sessions.page_age = json.at("page_age_seconds");
        reply.silent = json.at("silent_balancers");
        reply.awaiting_ready = json.at("awaiting_ready");
        return reply;
    } catch (const Json::exception&) {
        return std::nullopt;
    }
}

}  // namespace wcs_node_agent
