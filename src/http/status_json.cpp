// SPDX-License-Identifier: Apache-2.0
#include "http/status_json.hpp"

#include "haproxy/agent_reply.hpp"
#include "load/weight_text.hpp"

#include <wcs_node_agent/utc_text.hpp>
#include <wcs_node_agent/version.hpp>

#include <algorithm>
#include <chrono>
#include <optional>
#include <string_view>

#include <nlohmann/json.hpp>

namespace wcs_node_agent {

namespace {

using Json = nlohmann::ordered_json;

Json or_null(const std::optional<double>& value) { return value ? Json(*value) : Json(); }
Json or_null(std::string_view text) { return text.empty() ? Json() : Json(text); }

double in_seconds(std::chrono::nanoseconds duration) { return Seconds(duration).count(); }

std::string_view to_string(LimitUnit unit) {
    switch (unit) {
        case LimitUnit::percent:
            return "percent";
        case LimitUnit::streams:
            return "streams";
        case LimitUnit::megabits_per_second:
            return "megabits_per_second";
        case LimitUnit::number:
            return "number";
    }
    return "unknown";
}

Json limits_json(const Verdict& verdict) {
    Json limits = Json::object();
    for (const auto& reading : verdict.readings)
        limits[reading.name] = {{"unit", to_string(reading.unit)},
                                {"value", or_null(reading.value)},
                                {"maximum", or_null(reading.maximum)},
                                {"share", or_null(reading.share)},
                                {"utilisation", or_null(reading.utilisation)},
                                {"soft", reading.soft},
                                {"unknown", or_null(reading.unknown)},
                                {"at_least", reading.at_least},
                                {"up_again_below", or_null(reading.up_again_below)}};
    return limits;
}

/// How the weight came about; what HAProxy is not bound by is null.
Json weighing_json(const Weight& weight) {
    return {{"policy", to_string(weight.policy)},
            {"raw", weight.raw},
            {"recent_sessions", weight.recent},
            {"added_utilisation", weight.added},
            {"capacity_sessions", weight.capacity},
            {"reference_sessions", weight.reference},
            {"effect", weight.effect},
            {"arrival_dispersion", weight.dispersion},
            {"fleet_level", or_null(weight.level)},
            {"trend", weight.trend},
            {"held", weight.held},
            {"ramp", weight.ramp},
            {"balancers", weight.balancers},
            {"maxconn", weight.bound() ? Json(*weight.bound()) : Json()},
            {"explanation", weight_text(weight)}};
}

Json change_json(const Answer& answer, Clock::time_point now) {
    const auto& changed = answer.verdict.changed;
    if (!changed) return {};
    return {{"time", utc_text_ms(changed->wall)},
            {"age_seconds", in_seconds(std::max(now - changed->at, Clock::duration::zero()))},
            {"reason", or_null(changed->reason)}};
}

/// The verdict and why, without what it was made from.
Json answer_json(const Answer& answer, Clock::time_point now) {
    const auto& verdict = answer.verdict;
    std::string reply = answer.starting ? "" : agent_reply(verdict);
    if (!reply.empty()) reply.pop_back();
    return {{"state", answer.starting ? "starting" : to_string(verdict.state)},
            {"weight", answer.starting ? Json() : Json(verdict.weight.percent)},
            {"reason", or_null(answer.starting ? "" : verdict.reason)},
            {"cause", or_null(cause_of(answer))},
            {"reply", or_null(reply)},
            {"bottleneck", or_null(verdict.bottleneck)},
            {"weighing", answer.starting ? Json() : weighing_json(verdict.weight)},
            {"last_change", change_json(answer, now)},
            {"limits", limits_json(verdict)}};
}

Json checks_json(const CheckCounters& counters) {
    Json checks = Json::object();
    for (const NodeState state : all_node_states)
        checks[std::string(to_string(state))] = counters.checks[static_cast<std::size_t>(state)];
    return checks;
}

Json operator_json(const Snapshot& snapshot) {
    const auto& word = snapshot.word;
    return {{"word", to_string(word.word)},
            {"by", or_null(word.by)},
            {"since", word.by.empty() ? Json() : Json(utc_text(word.since))},
            {"awaiting_ready", snapshot.awaiting_ready}};
}

Json profiles_json(const Snapshot& snapshot) {
    Json profiles = Json::object();
    for (const auto& profile : snapshot.profiles) {
        auto& json = profiles[profile.name] = answer_json(profile, snapshot.at);
        json["checks"] = checks_json(profile.checks);
    }
    return profiles;
}

Json interfaces_json(const Snapshot& snapshot) {
    const auto& selected = snapshot.selected_interfaces;
    Json interfaces = Json::array();
    for (const auto& interface : snapshot.counters.interfaces) {
        auto& json = interfaces.emplace_back(Json{
            {"index", interface.index},
            {"name", interface.name},
            {"chosen",
             std::find(selected.begin(), selected.end(), interface.name) != selected.end()},
            {"counted_by",
             interface.counted_by == CountedBy::device ? "device" : to_string(snapshot.source)}});
        for (const auto& counter : all_traffic_counters)
            json[std::string(counter.name)] = interface.traffic.*counter.value;
    }
    return interfaces;
}

Json cpus_json(const RawCounters& counters) {
    Json cpus = Json::array();
    for (const auto& cpu : counters.cpus)
        cpus.push_back({{"cpu", cpu.cpu},
                        {"busy_seconds", in_seconds(cpu.busy)},
                        {"steal_seconds", in_seconds(cpu.steal)}});
    return cpus;
}

Json receive_json(const ReceiveCounters& receive) {
    const auto& [udp, softnet, udp_unknown] = receive;
    return {{"udp_received_datagrams", udp ? Json(udp->received) : Json()},
            {"udp_receive_buffer_errors", udp ? Json(udp->receive_buffer_errors) : Json()},
            {"softnet_dropped", softnet ? Json(softnet->dropped) : Json()},
            {"softnet_time_squeeze", softnet ? Json(softnet->time_squeeze) : Json()}};
}

template <class Counts>
Json by_protocol(const Counts& counts) {
    Json json = Json::object();
    for (const Protocol protocol : all_protocols)
        json[std::string(to_string(protocol))] =
            or_null(counts[static_cast<std::size_t>(protocol)]);
    return json;
}

Json wcs_json(const Snapshot& snapshot) {
    const WcsState& wcs = snapshot.wcs;
    // The page may have come a moment after the counters were read.
    const auto age = [&](Clock::time_point at) {
        return in_seconds(std::max(snapshot.at - at, Clock::duration::zero()));
    };
    const auto held = [&](const std::optional<HeldCount>& count) {
        return count ? Json{{"value", count->value}, {"age_seconds", age(count->at)}} : Json();
    };
    Json failures = Json::object();
    for (const WcsFault fault : all_wcs_faults)
        failures[std::string(to_string(fault))] = wcs.faults_total[static_cast<std::size_t>(fault)];
    return {{"up", wcs.asked ? Json(wcs.up()) : Json()},
            {"fault", wcs.fault == WcsFault::none ? Json() : Json(to_string(wcs.fault))},
            {"fault_text", or_null(wcs.fault_text)},
            {"page_age_seconds", wcs.page_at ? Json(age(*wcs.page_at)) : Json()},
            {"stale_after_seconds", in_seconds(snapshot.stale_after)},
            {"fetch_duration_seconds", wcs.asked ? Json(in_seconds(wcs.fetch_duration)) : Json()},
            {"page",
             {{"publishers", by_protocol(wcs.counts.publishers)},
              {"subscribers", by_protocol(wcs.counts.subscribers)},
              {"hls", or_null(wcs.counts.hls)}}},
            {"merged",
             {{"publishers", held(wcs.publishers)},
              {"subscribers", held(wcs.subscribers)},
              {"hls", held(wcs.hls)}}},
            {"failures", std::move(failures)}};
}

Json last_request_json(const std::optional<LastRequest>& last, std::string_view text_key,
                       Clock::time_point now) {
    if (!last) return {};
    return {{"source", last->source.to_string()},
            {"age_seconds", in_seconds(now - last->at)},
            {text_key, last->text}};
}

Json agent_json(const AgentCounters& agent, Clock::time_point now) {
    Json json{{"checks", checks_json(agent)}};
    for (const auto& counter : all_agent_counters)
        json[std::string(counter.name)] = agent.*counter.value;
    json["last_check"] = last_request_json(agent.last_check, "reply", now);
    json["last_refused"] = last_request_json(agent.last_refused, "port", now);
    return json;
}

}  // namespace

std::string status_json(const Snapshot& snapshot) {
    Json status = {{"version", version},
                   {"time", utc_text_ms(snapshot.wall)},
                   {"uptime_seconds", in_seconds(snapshot.at - snapshot.started)}};
    status.update(answer_json(snapshot, snapshot.at));
    status["operator"] = operator_json(snapshot);
    if (!snapshot.profiles.empty()) status["profiles"] = profiles_json(snapshot);
    status.update(
        Json{{"rates",
              {{"bits_in_per_second", or_null(snapshot.rates.bits_in)},
               {"bits_out_per_second", or_null(snapshot.rates.bits_out)},
               {"peak_bits_in_per_second", or_null(snapshot.peaks.bits_in)},
               {"peak_bits_out_per_second", or_null(snapshot.peaks.bits_out)},
               {"peak_bucket_seconds",
                snapshot.peaks.bits_in ? Json(in_seconds(snapshot.peaks.bucket)) : Json()},
               {"over_limit_in_ratio", or_null(snapshot.peaks.over_limit_in)},
               {"over_limit_out_ratio", or_null(snapshot.peaks.over_limit_out)},
               {"frames_in_per_second", or_null(snapshot.rates.frames_in)},
               {"frames_out_per_second", or_null(snapshot.rates.frames_out)},
               {"cpu_utilisation", or_null(snapshot.rates.cpu_utilisation)},
               {"cpu_max_utilisation", or_null(snapshot.rates.cpu_max_utilisation)}}},
             {"source",
              {{"name", to_string(snapshot.source)}, {"detail", or_null(snapshot.source_detail)}}},
             {"interfaces", interfaces_json(snapshot)},
             {"dropped_packets", snapshot.counters.dropped_packets},
             {"unplaced_packets", snapshot.counters.unplaced_packets},
             {"cpus", cpus_json(snapshot.counters)},
             {"receive", receive_json(snapshot.receive)},
             {"wcs", wcs_json(snapshot)},
             {"agent", agent_json(snapshot.agent, snapshot.at)}});
    // Bytes of others (interface names, faults) need not be UTF-8; JSON must be.
    return status.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace wcs_node_agent
