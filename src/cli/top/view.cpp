// SPDX-License-Identifier: Apache-2.0
#include "cli/top/view.hpp"

#include "cli/status_text.hpp"
#include "cli/top/graphs.hpp"
#include "cli/top/parts.hpp"
#include "cli/top/tables.hpp"
#include "config/value_text.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <optional>
#include <string_view>
#include <utility>

#include <fmt/format.h>

namespace wcs_node_agent {
namespace {

using status_text::at;
using status_text::number;
using status_text::unit_symbol;

constexpr std::size_t bar_width = 8;
constexpr double plot_seconds = 6;  // a column of a plot

Line title(const Json& status, const View& view) {
    const std::string time = shown(at(status, "/time"), view);
    std::string left =
        fmt::format("wcs-node-agent {}  {}  running {}", shown(at(status, "/version"), view),
                    view.address, span_of_time(at(status, "/uptime_seconds")));
    const std::string right =
        fmt::format("{}  {}", view.paused ? "paused" : "every " + duration_text(view.delay),
                    time.size() > 19 ? time.substr(11, 8) + " UTC" : time);
    const std::size_t used = left.size() + right.size();
    left.append(used < view.columns ? view.columns - used : 2, ' ');
    return {{std::move(left), Style::heading},
            {right, view.paused ? Style::warning : Style::heading}};
}

std::string in_words(const Json& answer, const View& view) {
    const Json& bottleneck = at(answer, "/bottleneck");
    if (!bottleneck.is_string()) return "";
    const Json::json_pointer place("/limits");
    const Json& limits = at(answer, "/limits");
    const auto limit = limits.find(bottleneck.get<std::string>());
    const Json& used = limit == limits.end() ? at(answer, "/-") : at(*limit, "/utilisation");
    return fmt::format("bottleneck {}, {} % used", shown(bottleneck, view), number(used, 100));
}

void add_answer(Frame& frame, const Json& answer, const View& view) {
    const Json& state = at(answer, "/state");
    std::string head = status_text::text(state);
    std::ranges::transform(head, head.begin(), [](char c) {
        return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    });
    frame.push_back(
        {{"state       ", Style::dim},
         {fmt::format("{}, weight {} %", head, number(at(answer, "/weight"))), style_of(state)},
         {"   " + in_words(answer, view), Style::strong}});
    frame.push_back(labelled("reply", shown(at(answer, "/reply"), view)));
    if (const Json& why = at(answer, "/weighing/explanation"); why.is_string())
        frame.push_back(labelled("weight", shown(why, view)));
    if (const Json& change = at(answer, "/last_change"); change.is_object())
        frame.push_back(
            labelled("since", fmt::format("{}: {}", span_of_time(at(change, "/age_seconds")),
                                          shown(at(change, "/reason"), view))));
}

Line limit_row(const std::string& name, const Json& limit, bool is_bottleneck,
               const StatusHistory& history, const View& view, std::size_t plot_columns) {
    const Json& maximum = at(limit, "/maximum");
    const Json& used = at(limit, "/utilisation");
    const Json& unknown = at(limit, "/unknown");
    const std::string of =
        maximum.is_number() ? fmt::format("{} {}", number(maximum), unit_symbol(at(limit, "/unit")))
        : unknown.is_string() ? "?"
                              : "off";
    const Style style = used.is_number() ? style_of(used.get<double>()) : Style::plain;
    Line row{{fmt::format("{:<13.13} {:>8} of {:<11}", shown(Json(name), view),
                          number(at(limit, "/value")), of),
              is_bottleneck ? Style::strong : Style::plain}};
    if (unknown.is_string()) {
        row.push_back({"  unknown: " + shown(unknown, view), Style::warning});
        return row;
    }
    if (!used.is_number()) return row;
    row.push_back({fmt::format("{:>7} % ", number(used, 100)), style});
    row.push_back({bar(used.get<double>(), bar_width, view.utf8), style});
    row.push_back({"  " + sparkline(history.plot(name, plot_columns, plot_seconds), view.utf8),
                   Style::plain});
    if (at(limit, "/soft") == true) row.push_back({" soft", Style::dim});
    return row;
}

void add_limits(Frame& frame, const Json& answer, const StatusHistory& history, const View& view) {
    constexpr std::size_t left_of_plot = 13 + 9 + 4 + 11 + 10 + bar_width + 2;
    constexpr std::size_t right_of_plot = 5;
    const std::size_t plot_columns = view.columns > left_of_plot + right_of_plot
                                         ? view.columns - left_of_plot - right_of_plot
                                         : 0;
    frame.push_back(
        {{fmt::format("{:<13} {:>8}    {:<11}{:>9} {:<{}}  last {}", "LIMIT", "VALUE", "MAXIMUM",
                      "USED", "", bar_width,
                      span_of_time(Json(static_cast<double>(plot_columns) * plot_seconds))),
          Style::heading}});
    for (const auto& [name, limit] : at(answer, "/limits").items()) {
        const bool off = !at(limit, "/maximum").is_number() && !at(limit, "/unknown").is_string();
        if (off && !view.all_limits) continue;
        frame.push_back(
            limit_row(name, limit, at(answer, "/bottleneck") == name, history, view, plot_columns));
    }
}

/// The sum, and whose it is: "28 (webrtc 25, rtsp 3)".
std::string counts(const Json& of_protocol) {
    std::string text;
    std::optional<double> sum;
    for (const auto& [protocol, count] : of_protocol.items()) {
        if (!count.is_number()) continue;
        sum = sum.value_or(0) + count.get<double>();
        if (count != 0)
            text += fmt::format("{}{} {}", text.empty() ? " (" : ", ", protocol, number(count));
    }
    return (sum ? number(Json(*sum)) : "-") + text + (text.empty() ? "" : ")");
}

void add_wcs(Frame& frame, const Json& wcs, const View& view) {
    const Json& up = at(wcs, "/up");
    std::string state = !up.is_boolean() ? "not asked yet"
                        : up == true     ? "answers"
                                     : "does not answer: " + shown(at(wcs, "/fault_text"), view);
    if (at(wcs, "/page_age_seconds").is_number())
        state += fmt::format(", page {} s old", number(at(wcs, "/page_age_seconds")));
    frame.push_back(labelled("wcs", std::move(state), up == false ? Style::warning : Style::plain));
    frame.push_back(labelled(
        "",
        fmt::format("publishers {}  subscribers {}  hls {}", counts(at(wcs, "/page/publishers")),
                    counts(at(wcs, "/page/subscribers")), number(at(wcs, "/page/hls")))));
}

std::string last_request(const Json& last, const char* what, const View& view) {
    if (!last.is_object()) return "nobody yet";
    return fmt::format("{}, {} ago: {}", shown(at(last, "/source"), view),
                       span_of_time(at(last, "/age_seconds")), shown(at(last, what), view));
}

void add_balancers(Frame& frame, const Json& agent, const View& view) {
    std::string told;
    for (const auto& [reply, count] : at(agent, "/checks").items())
        if (count.is_number() && count != 0) told += fmt::format(" {} {}", reply, number(count));
    frame.push_back(labelled("last check", last_request(at(agent, "/last_check"), "/reply", view) +
                                               (told.empty() ? "" : ";  told" + told)));
    if (const Json& refused = at(agent, "/last_refused"); refused.is_object())
        frame.push_back(labelled("refused", last_request(refused, "/port", view), Style::warning));
}

void add_profiles(Frame& frame, const Json& status, const View& view) {
    for (const auto& [name, answer] : at(status, "/profiles").items())
        frame.push_back({{fmt::format("{:<12.12}", shown(Json(name), view)), Style::dim},
                         {shown(at(answer, "/reply"), view), style_of(at(answer, "/state"))},
                         {"   " + in_words(answer, view)}});
}

Frame help(const View& view) {
    constexpr std::array<std::array<std::string_view, 2>, 9> keys{{
        {"q", "quit"},
        {"p, space", "pause, and go on"},
        {"+, -", "ask more, less often (every 0.25 to 60 s)"},
        {"s", "order interfaces by name, rate in, rate out"},
        {"i", "all interfaces, or those alone whose traffic is the bandwidth"},
        {"o", "all limits, or those alone that are on"},
        {"r", "draw the screen anew"},
        {"h, ?", "this help, and back"},
        {"", ""},
    }};
    Frame frame{{{"Keys", Style::heading}}};
    for (const auto& [key, what] : keys) frame.push_back(labelled(key, std::string(what)));
    frame.push_back(
        {{"Bars and plots show value / maximum of each limit. The highest one, the bottleneck, "
          "makes"}});
    frame.push_back(
        {{"the weight; at 100 % of a hard limit the node is down. A column of a plot is the "
          "highest of 6 s."}});
    frame.push_back(
        {{fmt::format("Rates are of the agent's counters, over 2, 10 and 60 s: \"-\" until {} was "
                      "watched so long.",
                      view.address)}});
    return frame;
}

}  // namespace

Frame render(const Json& status, const StatusHistory& history, const View& view) {
    Frame frame{title(status, view)};
    if (!view.fault.empty()) frame.push_back({{shown(Json(view.fault), view), Style::bad}});
    if (view.help) {
        std::ranges::move(help(view), std::back_inserter(frame));
    } else {
        add_answer(frame, status, view);
        add_limits(frame, status, history, view);
        Frame below;
        add_wcs(below, at(status, "/wcs"), view);
        add_balancers(below, at(status, "/agent"), view);
        add_profiles(below, status, view);
        std::optional<std::size_t> room;  // but for the foot
        if (view.rows) {
            const std::size_t taken = frame.size() + below.size() + 1;
            room = *view.rows > taken ? *view.rows - taken : 0;
        }
        add_tables(frame, status, history, view, room);
        std::ranges::move(below, std::back_inserter(frame));
    }
    if (view.rows) {
        frame.resize(*view.rows > 1 ? *view.rows - 1 : 0);
        frame.push_back(
            {{"q quit  p pause  +/- delay  s sort  i interfaces  o limits  h help", Style::dim}});
    }
    return frame;
}

}  // namespace wcs_node_agent
