// SPDX-License-Identifier: Apache-2.0
#include "http/metric_rows.hpp"

#include <algorithm>
#include <set>

namespace wcs_node_agent {

namespace {

/// The page's figures count as long as they are younger than stale_after.
bool has_fresh_page(const Snapshot& node) {
    return node.wcs.page_at && node.at - *node.wcs.page_at < node.stale_after;
}

template <class Counts>
void add_counts(const Snapshot& node, const Counts& counts, Writer& out) {
    if (!has_fresh_page(node)) return;
    for (const Protocol protocol : all_protocols)
        out.add(counts[static_cast<std::size_t>(protocol)], {to_string(protocol)});
}

/// The page's numbers that are not part of a count.
void add_stats(const Snapshot& node, Writer& out) {
    if (!has_fresh_page(node)) return;
    const auto& streams = node.count_names;
    std::set<std::string_view> counted(streams.hls.begin(), streams.hls.end());
    for (const auto* group : {&streams.publishers, &streams.subscribers})
        for (const auto& names : *group) counted.insert(names.begin(), names.end());
    for (const auto& [key, value] : node.wcs.page->numbers)
        if (!counted.contains(key)) out.add(value, {key});
}

}  // namespace

Metrics wcs_metrics() {
    return {
        gauge("wcs_up", "", {}, "1 if the last fetch of the WCS statistics page got one.",
              [](const Snapshot& node, Writer& out) {
                  if (node.wcs.asked) out.add(node.wcs.up());
              }),
        gauge(
            "wcs_fault", "", {"reason"},
            "1 for the reason why the last fetch of the statistics page failed, 0 for the others.",
            [](const Snapshot& node, Writer& out) {
                if (!node.wcs.asked) return;
                for (const WcsFault fault : all_wcs_faults)
                    out.add(node.wcs.fault == fault, {to_string(fault)});
            }),
        gauge("wcs_fetch_duration_seconds", "seconds", {},
              "Duration of the last fetch of the statistics page.",
              [](const Snapshot& node, Writer& out) {
                  if (node.wcs.asked) out.add(node.wcs.fetch_duration);
              }),
        counter("wcs_fetch_failures_total", "", {"reason"},
                "Failed fetches of the statistics page.",
                [](const Snapshot& node, Writer& out) {
                    for (const WcsFault fault : all_wcs_faults)
                        out.add(node.wcs.faults_total[static_cast<std::size_t>(fault)],
                                {to_string(fault)});
                }),
        gauge("wcs_stat_age_seconds", "seconds", {},
              "Age of the last statistics page that could be read.",
              [](const Snapshot& node, Writer& out) {
                  // The page may have come a moment after the counters were read.
                  if (node.wcs.page_at)
                      out.add(std::max(node.at - *node.wcs.page_at, Clock::duration::zero()));
              }),
        gauge("wcs_publishers", "streams", {"protocol"}, "Streams published to WCS.",
              [](const Snapshot& node, Writer& out) {
                  add_counts(node, node.wcs.counts.publishers, out);
              }),
        gauge("wcs_subscribers", "streams", {"protocol"}, "Streams played from WCS.",
              [](const Snapshot& node, Writer& out) {
                  add_counts(node, node.wcs.counts.subscribers, out);
              }),
        gauge("wcs_hls_streams", "streams", {}, "Streams that WCS serves as HLS.",
              [](const Snapshot& node, Writer& out) {
                  if (has_fresh_page(node)) out.add(node.wcs.counts.hls);
              }),
        gauge("wcs_stat", "", {"key"},
              "Every other number on the WCS statistics page, under its name there; "
              "wcs_max_stats bounds how many, besides those that limits need.",
              add_stats),
    };
}

}  // namespace wcs_node_agent
