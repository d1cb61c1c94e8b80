// SPDX-License-Identifier: Apache-2.0
#include "http/history_json.hpp"

#include <wcs_node_agent/verdict.hpp>

#include <array>
#include <charconv>
#include <cmath>
#include <iterator>
#include <string_view>

#include <fmt/format.h>

namespace wcs_node_agent {

namespace {

/// All of it is rendered once a sample for everybody, what is new for each client.
constexpr std::int64_t most_new = 60;  // seconds

/// Rounded to so many decimals, without zeros at the end.
void append_rounded(std::string& text, double value, int decimals) {
    const double scale = std::pow(10, decimals);
    std::array<char, 32> digits;
    const auto end =
        std::to_chars(digits.begin(), digits.end(), std::round(value * scale) / scale).ptr;
    text.append(digits.begin(), end);
}

void append_values(std::string& text, const History& history, History::Span span, std::size_t i) {
    for (auto second = span.first; second < span.end; ++second) {
        if (second > span.first) text += ',';
        if (const auto value = history.value(second, i))
            append_rounded(text, *value, all_history_series[i].decimals);
        else
            text += "null";
    }
}

/// When the second began, for people, in seconds of Unix time.
double unix_time(std::int64_t second, BothClocks now) {
    const auto ago = now.steady.time_since_epoch() - std::chrono::seconds(second);
    return Seconds(now.wall.time_since_epoch() - ago).count();
}

}  // namespace

History::Span newer_than(const History& history, std::int64_t second) {
    const auto all = history.seconds();
    const bool is_known = second >= all.first && second < all.end;
    if (!is_known || all.end - 1 - second > most_new) return all;
    return {.first = second + 1, .end = all.end};
}

std::string history_json(const History& history, History::Span span, BothClocks now) {
    std::string text = fmt::format(
        R"({{"interval_seconds":1,"capacity_points":{},"memory_bytes":{},"first":{},"last":{},)"
        R"("last_time_seconds":{:.3f},"states":[)",
        History::capacity, sizeof(History), span.first, span.end - 1, unix_time(span.end - 1, now));
    for (const auto state : all_node_states)
        fmt::format_to(std::back_inserter(text), R"({}"{}")",
                       state == all_node_states.front() ? "" : ",", to_string(state));
    text += R"(],"series":{)";
    for (std::size_t i = 0; i < all_history_series.size(); ++i) {
        fmt::format_to(std::back_inserter(text), "{}\n\"{}\":[", i > 0 ? "," : "",
                       all_history_series[i].name);
        append_values(text, history, span, i);
        text += ']';
    }
    return text += "}}\n";
}

}  // namespace wcs_node_agent
