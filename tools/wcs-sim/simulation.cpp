// SPDX-License-Identifier: Apache-2.0
#include "wcs-sim/simulation.hpp"

#include <wcs_node_agent/ascii.hpp>

#include <algorithm>
#include <charconv>
#include <optional>
#include <random>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace wcs_node_agent::sim {
namespace {

/// A number from least to most, or an error that says so.
template <class Number>
Result<Number> number_between(std::string_view text, Number least, Number most) {
    Number number{};
    const char* const end = text.data() + text.size();
    const auto [stopped, error] = std::from_chars(text.data(), end, number);
    if (error != std::errc() || stopped != end || !(number >= least && number <= most)) {
        return Error{fmt::format("'{}' is not a number from {} to {}", text, least, most)};
    }
    return number;
}

template <class Number, class Field>
std::optional<Error> assign(Field& field, std::string_view text, Number least, Number most) {
    const auto number = number_between(text, least, most);
    if (!number) {
        return number.error();
    }
    field = Field(*number);
    return std::nullopt;
}

std::optional<Error> assign_status(int& status, std::string_view text) {
    if (text == "0") {
        status = 0;
        return std::nullopt;
    }
    return assign(status, text, 200, 599);
}

bool is_page_name(std::string_view name) {
    return std::ranges::all_of(name, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '_' || c == '.';
    });
}

bool is_page_value(std::string_view value) {
    return std::ranges::none_of(value, wcs_node_agent::is_ascii_control);
}

std::optional<Error> set_on_page(std::vector<Section>& sections, const std::string& name,
                                 const std::string& value) {
    if (!is_page_value(value)) {
        return Error{"control characters are not allowed"};
    }
    const auto has_name = [&](const auto& entry) { return entry.first == name; };
    for (auto& section : sections) {
        const auto entry = std::ranges::find_if(section.entries, has_name);
        if (entry == section.entries.end()) {
            continue;
        }
        if (value.empty()) {
            section.entries.erase(entry);
        } else {
            entry->second = value;
        }
        return std::nullopt;
    }
    const auto home = std::ranges::find_if(
        sections, [&](const Section& section) { return name.starts_with(section.prefix); });
    if (home == sections.end() || !is_page_name(name)) {
        return Error{
            "neither a fault nor on the page, and new names begin with connections, ports_, "
            "streams_, core_ or system_"};
    }
    if (!value.empty()) {
        home->entries.emplace_back(name, value);
    }
    return std::nullopt;
}

std::optional<Error> set(Simulation& simulation, const Setting& setting) {
    const auto& [name, value] = setting;
    auto& faults = simulation.faults;
    if (name == "delay_ms") {
        return assign(faults.delay, value, 0, 3'600'000);
    }
    if (name == "status") {
        return assign_status(faults.status, value);
    }
    if (name == "garbage") {
        return assign(faults.garbage, value, 0, 1);
    }
    if (name == "truncate") {
        return assign(faults.truncate, value, 0U, 1U << 30U);
    }
    if (name == "hang") {
        return assign(faults.hang, value, 0, 1);
    }
    if (name == "size_mb") {
        return assign(faults.size_mb, value, 0U, 1024U);
    }
    if (name == "refuse") {
        return assign(faults.refuse, value, 0, 1);
    }
    if (name == "bytes_per_second") {
        return assign(faults.bytes_per_second, value, 0U, 1U << 30U);
    }
    if (name == "chunked") {
        return assign(faults.chunked, value, 0, 1);
    }
    if (name == "reset") {
        return assign(faults.reset, value, 0, 1);
    }
    if (name == "media_mbps") {
        return assign(simulation.media_mbps, value, 0.0, 100'000.0);
    }
    if (name == "streams") {
        return assign(simulation.streams, value, 0U, 1'000'000U);
    }
    if (name == "ping_ms") {
        return assign(simulation.ping_interval, value, 1, 3'600'000);
    }
    if (name == "ping_probes") {
        return assign(simulation.ping_probes, value, 1U, 1'000'000U);
    }
    return set_on_page(simulation.sections, name, value);
}

std::vector<Section> narrowed(std::vector<Section> sections, std::string_view group) {
    if (!group.empty()) {
        std::erase_if(sections, [group](const Section& section) { return section.group != group; });
    }
    return sections;
}

constexpr std::string_view stream_list_group = "stream_list";

std::string stream_name(std::size_t number) { return fmt::format("stream_{:07}", number); }

std::string stream_value(std::size_t number) {
    return fmt::format("room-{:07}/9f86d081-884c-4d65-9a2f-eaa0c55ad015/webrtc/H264/1280x720",
                       number);
}

std::string text_body(const std::vector<Section>& sections, std::size_t streams,
                      std::size_t bytes) {
    std::string body;
    body.reserve(bytes);
    for (const auto& section : sections) {
        body += fmt::format("-----{}-----\n", section.header);
        for (const auto& [name, value] : section.entries) {
            body += fmt::format("{}={}\n", name, value);
        }
    }
    if (streams > 0) {
        body += "-----Stream List-----\n";
    }
    for (std::size_t number = 0; number < streams; ++number) {
        body += stream_name(number) + '=' + stream_value(number) + '\n';
    }
    for (std::size_t line = 0; body.size() < bytes; ++line) {
        body += fmt::format("padding_{}={}\n", line, line);
    }
    return body;
}

/// Not through the library: its ordered object looks at every name before it adds one.
void append_json_streams(std::string& body, std::size_t streams) {
    body.resize(body == "{}" ? 1 : body.size() - 2);  // the end of the outer object comes last
    body += fmt::format("{}\n \"{}\": {{", body.size() > 1 ? "," : "", stream_list_group);
    for (std::size_t number = 0; number < streams; ++number) {
        body += fmt::format("{}\n  \"{}\": \"{}\"", number > 0 ? "," : "", stream_name(number),
                            stream_value(number));
    }
    body += "\n }\n}";
}

std::string json_body(const std::vector<Section>& sections, std::size_t streams,
                      std::size_t bytes) {
    auto groups = nlohmann::ordered_json::object();
    for (const auto& section : sections) {
        auto& group = groups[std::string(section.group)] = nlohmann::ordered_json::object();
        for (const auto& [name, value] : section.entries) {
            group[name] = value;
        }
    }
    std::string body = groups.dump(1, ' ', false, nlohmann::json::error_handler_t::replace);
    if (streams > 0) {
        append_json_streams(body, streams);
    }
    body.resize(std::max(body.size(), bytes), ' ');
    return body;
}

}  // namespace

std::vector<Section> idle_sections() {
    return {
        {"Connection Stats",
         "connection_stats",
         "connections",
         {{"connections", "0"},
          {"connections_rtmfp", "0"},
          {"connections_websocket", "0"},
          {"connections_hls", "0"}}},
        {"Port Stats",
         "port_stats",
         "ports_",
         {{"ports_media_free", "500"},
          {"ports_media_busy", "0"},
          {"ports_media_quarantine", "0"},
          {"ports_wcs_agents_free", "998"},
          {"ports_wcs_agents_busy", "0"},
          {"ports_wcs_agents_quarantine", "0"}}},
        {"Stream Stats",
         "streams_stats",
         "streams_",
         {{"streams_webrtc_in", "0"},
          {"streams_webrtc_out", "0"},
          {"streams_websocket_out", "0"},
          {"streams_rtmfp_in", "0"},
          {"streams_rtmfp_out", "0"},
          {"streams_rtmp_in", "0"},
          {"streams_rtmp_out", "0"},
          {"streams_hls", "0"},
          {"streams_viewers", "test/0"},
          {"streams_synchronization", "test/0"},
          {"stats_size", "0"},
          {"streams_rtsp_in", "0"},
          {"streams_rtsp_out", "0"},
          {"streams_rtsp_push_in", "0"},
          {"streams_rtsp_push_out", "0"},
          {"streams_rtmp_client_out", "0"},
          {"streams_play_rate", "0"},
          {"streams_stop_rate", "0"},
          {"degraded_streams_percent", "0"}}},
        {"Core Stats",
         "core_stats",
         "core_",
         {{"core_threads", "120"},
          {"core_java_threads", "95"},
          {"core_java_threads_blocked", "0"},
          {"core_java_committedMemory", "1073741824"},
          {"core_java_freePhysicalMemorySize", "8589934592"}}},
        {"System Stats",
         "system_stats",
         "system_",
         {{"system_java_cpu_usage", "0.4"},
          {"system_memory_total", "16384"},
          {"system_memory_free", "14200"}}},
    };
}

Result<Simulation> with_settings(Simulation simulation, std::span<const Setting> settings) {
    for (const auto& setting : settings) {
        if (const auto error = set(simulation, setting)) {
            return Error{setting.first + ": " + error->what};
        }
    }
    return simulation;
}

std::string page_body(const Simulation& simulation, PageFormat format, std::string_view group) {
    const auto sections = narrowed(simulation.sections, group);
    const auto streams = group.empty() || group == stream_list_group ? simulation.streams : 0;
    const auto bytes = simulation.faults.size_mb << 20U;
    return format == PageFormat::json ? json_body(sections, streams, bytes)
                                      : text_body(sections, streams, bytes);
}

std::string garbage_body() {
    std::string body(4096, '\0');
    std::minstd_rand random(1);  // the same each time
    std::ranges::generate(body, [&random] { return static_cast<char>(random() >> 8U); });
    return body;
}

}  // namespace wcs_node_agent::sim
