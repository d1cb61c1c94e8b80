// SPDX-License-Identifier: Apache-2.0
#include "http/metric_rows.hpp"

namespace wcs_node_agent {

namespace {

/// Of what is reported to HAProxy: absent before the first report.
template <class T>
AnswerSamples of_weight(T Weight::*value) {
    return [value](const Answer& node, Writer& out) {
        if (!node.starting) out.add(static_cast<double>(node.verdict.weight.*value));
    };
}

/// A hard limit can be the reason of a `down`.
void state_reasons(const Answer& node, Writer& out) {
    const auto current = cause_of(node);
    for (const auto reason : causes::all) out.add(current == reason, {reason});
    for (const auto& reading : node.verdict.readings)
        if (reading.maximum && !reading.soft) out.add(current == reading.name, {reading.name});
}

}  // namespace

Metrics weight_metrics() {
    return {
        answer_gauge(
            "wcs_node_weight_ratio", "ratio", {},
            "Share of its configured weight that is reported to HAProxy, up to 2.56. Absent before "
            "the first report.",
            [](const Answer& node, Writer& out) {
                if (!node.starting) out.add(node.verdict.weight.percent / 100.0);
            }),
        answer_gauge("wcs_node_weight_raw_ratio", "ratio", {},
                     "What the bottleneck leaves free, before all else that makes the weight.",
                     [](const Answer& node, Writer& out) {
                         if (!node.starting) out.add(node.verdict.weight.raw / 100);
                     }),
        answer_gauge("wcs_node_recent_sessions", "sessions", {},
                     "Sessions whose load does not show yet, each by the part that is missing.",
                     of_weight(&Weight::recent)),
        answer_gauge("wcs_node_recent_utilization_ratio", "ratio", {},
                     "Utilisation that these are expected to add, which the weight counts already.",
                     of_weight(&Weight::added)),
        answer_gauge("wcs_node_capacity_sessions", "sessions", {},
                     "Sessions that fill the node: the setting capacity, or as estimated.",
                     of_weight(&Weight::capacity)),
        answer_gauge("wcs_node_capacity_reference_sessions", "sessions", {},
                     "Sessions of room at which the node reports 100 %.",
                     of_weight(&Weight::reference)),
        answer_gauge("wcs_node_weight_effect_ratio", "ratio", {},
                     "Sessions that come after the weight rose by those after it fell: about 1 "
                     "where it is a share of those that come, more where of all that there are.",
                     of_weight(&Weight::effect)),
        answer_gauge("wcs_node_arrival_dispersion_ratio", "ratio", {},
                     "Variance by mean of the sessions that come in half of recent_sessions: below "
                     "1 where they come by turns, more where by chance or by what nodes have.",
                     of_weight(&Weight::dispersion)),
        answer_gauge("wcs_node_fleet_level_ratio", "ratio", {},
                     "Utilisation of the other nodes as far as what comes here tells it. Absent "
                     "where it does not.",
                     [](const Answer& node, Writer& out) {
                         if (const auto& level = node.verdict.weight.level; level && !node.starting)
                             out.add(*level);
                     }),
        answer_gauge("wcs_node_trend_ratio", "ratio", {},
                     "Factor by which the weight changes for what the node is above or below the "
                     "fleet, or its own load of late.",
                     of_weight(&Weight::trend)),
        answer_gauge("wcs_node_ramp_ratio", "ratio", {},
                     "Greatest free share that the node reports so soon after it came up; 1 later.",
                     of_weight(&Weight::ramp)),
        answer_gauge(
            "wcs_node_maxconn", "connections", {},
            "Connections that HAProxy may have open on one server line. Absent where that is not "
            "reported.",
            [](const Answer& node, Writer& out) {
                if (const auto bound = node.verdict.weight.bound(); bound && !node.starting)
                    out.add(static_cast<double>(*bound));
            }),
        answer_gauge(
            "wcs_node_balancers", "", {},
            "Server lines of HAProxy over which the node's room is divided: the setting balancers, "
            "or sources that ask.",
            of_weight(&Weight::balancers)),
        answer_gauge(
            "wcs_node_state", "", {"state"},
            "1 for the state that is reported to HAProxy, 0 for the others. Absent before the "
            "first report.",
            [](const Answer& node, Writer& out) {
                if (node.starting) return;
                for (const NodeState state : all_node_states)
                    out.add(node.verdict.state == state, {to_string(state)});
            }),
        answer_gauge("wcs_node_state_reason", "", {"reason"},
                     "1 for the reason why the node is not up, 0 for the others.", state_reasons),
        gauge("wcs_node_operator_word", "", {"word"},
              "1 for what the operator says of the node, ready where nobody has said a word, 0 for "
              "the others.",
              [](const Snapshot& node, Writer& out) {
                  for (const Word word : all_words)
                      out.add(node.word.word == word, {to_string(word)});
              }),
        gauge("wcs_node_operator_word_timestamp_seconds", "seconds", {},
              "Unix time since when the operator says so. Absent where nobody has said a word.",
              [](const Snapshot& node, Writer& out) {
                  if (!node.word.by.empty())
                      out.add(Seconds(node.word.since.time_since_epoch()).count());
              }),
        gauge(
            "wcs_node_operator_awaiting_ready", "", {},
            "Balancers that heard drain or maint and have not asked since the operator said ready.",
            [](const Snapshot& node, Writer& out) {
                out.add(static_cast<double>(node.awaiting_ready));
            }),
        answer_gauge("wcs_node_state_change_timestamp_seconds", "seconds", {},
                     "Unix time at which the reported state changed last.",
                     [](const Answer& node, Writer& out) {
                         if (const auto& changed = node.verdict.changed)
                             out.add(Seconds(changed->wall.time_since_epoch()).count());
                     }),
    };
}

}  // namespace wcs_node_agent
