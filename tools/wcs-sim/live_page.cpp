// SPDX-License-Identifier: Apache-2.0
#include "wcs-sim/live_page.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <string_view>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace wcs_node_agent::sim {
namespace {

using Entry = std::pair<std::string, std::string>;

Entry* find_entry(std::vector<Section>& sections, std::string_view name) {
    for (auto& section : sections) {
        const auto entry = std::ranges::find_if(section.entries,
                                                [name](const auto& e) { return e.first == name; });
        if (entry != section.entries.end()) {
            return &*entry;
        }
    }
    return nullptr;
}

/// The page has no number below 0.
void add(std::vector<Section>& sections, std::string_view name, std::int64_t count) {
    auto* const entry = find_entry(sections, name);
    if (entry == nullptr) {
        return;
    }
    std::int64_t number = 0;
    const char* const end = entry->second.data() + entry->second.size();
    if (const auto [stopped, error] = std::from_chars(entry->second.data(), end, number);
        error == std::errc() && stopped == end) {
        entry->second = std::to_string(std::max<std::int64_t>(number + count, 0));
    }
}

}  // namespace

std::vector<Section> with_clients(std::vector<Section> sections, const LiveCounts& counts) {
    if (counts.sessions == 0) {
        return sections;
    }
    const auto sessions = static_cast<std::int64_t>(counts.sessions);
    const auto published = static_cast<std::int64_t>(counts.published);
    const auto played = static_cast<std::int64_t>(counts.played);
    add(sections, "connections", sessions);
    add(sections, "connections_websocket", sessions);
    add(sections, "streams_webrtc_in", published);
    add(sections, "streams_webrtc_out", played);
    add(sections, "ports_media_busy", published + played);
    add(sections, "ports_media_free", -(published + played));
    if (auto* const entry = find_entry(sections, "streams_viewers");
        entry != nullptr && !counts.viewers.empty()) {
        std::vector<std::string> streams;
        streams.reserve(counts.viewers.size());
        for (const auto& [name, viewers] : counts.viewers) {
            streams.push_back(fmt::format("{}/{}", name, viewers));
        }
        // How WCS writes several of them is not public.
        entry->second = fmt::format("{}", fmt::join(streams, ";"));
    }
    return sections;
}

}  // namespace wcs_node_agent::sim
