// SPDX-License-Identifier: Apache-2.0
#include "wcs/page.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

using namespace wcs_node_agent;

static void require(bool holds) {
    if (!holds) {
        std::abort();
    }
}

static constexpr std::size_t max_entries = 8;

/// A page within its bounds, or an error with a text.
static void require_bounded(std::string_view body) {
    const CountNames names;
    const auto page = parse_page(body, Ending::unknown, max_entries, names);
    if (!page) {
        require(!page.error().what.empty());
        return;
    }
    const auto counted_names = 2 * all_protocols.size() + names.hls.size();
    require(page->numbers.size() + page->texts.size() <= max_entries + counted_names);
    const auto counts = count_streams(*page, names);
    require(counts.hls || !counts.missing.empty());
}

/// What is JSON to another parser is a page, unless it has no value. Numbers of a group are the
/// same to both, but for names that another one joined by a dot, or is there twice.
static void require_reads_json(std::string_view body) {
    if (body.find('\0') != std::string_view::npos) {  // the other one's end
        return;
    }
    std::map<std::string, int> times;
    const auto count_keys = [&times](int, nlohmann::json::parse_event_t event,
                                     nlohmann::json& key) {
        if (event == nlohmann::json::parse_event_t::key) {
            ++times[key.get<std::string>()];
        }
        return true;
    };
    const auto json = nlohmann::json::parse(body, count_keys, false);
    if (!json.is_object()) {
        return;
    }
    for (const auto ending : {Ending::known, Ending::unknown}) {
        const auto page = parse_page(body, ending, body.size(), CountNames{});
        if (!page) {
            require(page.error().what == "JSON without a single value");
            return;
        }
        const auto group = json.size() == 1 ? json.front() : nlohmann::json();
        for (const auto& [name, value] : group.items()) {
            const bool unique = times[name] == 1 && name.find('.') == std::string::npos;
            if (group.is_object() && value.is_number() && unique && page->numbers.contains(name)) {
                require(page->numbers.at(name) == value.get<double>());
            }
        }
    }
}

/// A stream's name, in a text page or in JSON that nobody escaped, changes no count.
static void require_changes_no_count(std::string_view before, std::string_view name,
                                     std::string_view after) {
    const auto page = parse_page(std::string(before).append(name).append(after), Ending::known,
                                 max_entries, CountNames{});
    require(page && page->numbers.contains("streams_webrtc_out"));
    require(page->numbers.at("streams_webrtc_out") == 5);
    require(page->numbers.contains("streams_hls") && page->numbers.at("streams_hls") == 7);
}

/// The last number of a page in which the bytes are all that is wrong.
static void require_costs_itself(std::string_view before, std::string_view bytes,
                                 std::string_view after) {
    const auto page = parse_page(std::string(before).append(bytes).append(after), Ending::known,
                                 max_entries, CountNames{});
    require(page && page->numbers.contains("streams_hls"));
    require(page->numbers.at("streams_hls") == 7);
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    require_bounded(bytes);
    require_reads_json(bytes);

    const auto has = [bytes](std::string_view any) {
        return bytes.find_first_of(any) != std::string_view::npos;
    };
    require_changes_no_count("streams_webrtc_out=5\nstreams_viewers=", bytes,
                             "/0\nstreams_hls=7\n");
    if (!has("[{")) {
        require_changes_no_count(R"({"g":{"streams_webrtc_out":5,"streams_viewers":")", bytes,
                                 R"(/0","streams_hls":7}})");
    }
    if (!has("\n")) {
        require_costs_itself("a=1\nb=", bytes, "\nstreams_hls=7\n");
    }
    if (!has("\"\\")) {
        require_costs_itself(R"({"g":{"a":")", bytes, R"(","streams_hls":7}})");
    }
    if (!has("\"{}[]")) {
        require_costs_itself(R"({"g":{"a":)", bytes, R"(,"streams_hls":7}})");
    }
    return 0;
}
