// SPDX-License-Identifier: Apache-2.0
#include "cli/top/view.hpp"

#include "cli/status_text.hpp"
#include "cli/top/fitting.hpp"
#include "cli/top/limits.hpp"
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

/// In its first wording that fits; the address stays in any case, and whether it is paused.
Line title(const Json& status, const View& view) {
    const auto program = fmt::format("wcs-node-agent {}", shown(at(status, "/version"), view));
    const auto uptime = "running " + span_of_time(at(status, "/uptime_seconds"));
    const std::string asks = view.paused ? "paused" : "every " + duration_text(view.delay);
    const std::string time = shown(at(status, "/time"), view);
    const auto clock = time.size() > 19 ? time.substr(11, 8) + " UTC" : time;
    using Sides = std::pair<std::string, std::string>;
    const std::array<Sides, 5> wordings{
        Sides{program + "  " + view.address + "  " + uptime, asks + "  " + clock},
        Sides{program + "  " + view.address, asks + "  " + clock},
        Sides{view.address + "  " + uptime, asks + "  " + clock},
        Sides{view.address, asks + "  " + clock},
        Sides{view.address, asks},
    };
    const auto width = [](const Sides& sides) {
        return columns_of(sides.first) + 2 + columns_of(sides.second);
    };
    const auto fits = [&](const Sides& sides) { return width(sides) <= view.columns; };
    const auto found = std::ranges::find_if(wordings, fits);
    auto [left, right] = found == wordings.end() ? wordings.back() : *found;
    left.append(2 + view.columns - std::min(view.columns, width({left, right})), ' ');
    return {{std::move(left), Style::heading},
            {std::move(right), view.paused ? Style::warning : Style::heading}};
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

void add_state(Frame& frame, const Json& answer, const View& view) {
    const Json& state = at(answer, "/state");
    std::string head = status_text::text(state);
    std::ranges::transform(head, head.begin(), [](char c) {
        return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
    });
    head += fmt::format(", weight {} %", number(at(answer, "/weight")));
    const auto why = in_words(answer, view);
    const auto used = columns_of(head) + 3 + columns_of(why);
    add_labelled(frame, "state", head, view, style_of(state));
    if (why.empty()) return;
    if (used <= beside_label(view))
        frame.back().push_back({"   " + why, Style::strong});
    else
        add_labelled(frame, "", why, view, Style::strong);
}

void add_answer(Frame& frame, const Json& answer, const View& view) {
    add_state(frame, answer, view);
    const auto reply = shown(at(answer, "/reply"), view);
    add_labelled(frame, "reply", reply, view);
    // What comes last is the least of it: the capacity, and the bound that the reply has too.
    if (const Json& why = at(answer, "/weighing/explanation"); why.is_string())
        add_labelled(frame, "weight", in_lines(shown(why, view), beside_label(view), ", ").front(),
                     view);
    if (const Json& change = at(answer, "/last_change"); change.is_object()) {
        const auto reason = shown(at(change, "/reason"), view);
        const bool is_in_reply = reply.find(" # " + reason) != std::string::npos;
        add_labelled(frame, "since",
                     span_of_time(at(change, "/age_seconds")) + (is_in_reply ? "" : ": " + reason),
                     view);
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
    add_labelled(frame, "wcs", state, view, up == false ? Style::warning : Style::plain);
    const auto counted =
        fmt::format("publishers {}  subscribers {}  hls {}", counts(at(wcs, "/page/publishers")),
                    counts(at(wcs, "/page/subscribers")), number(at(wcs, "/page/hls")));
    for (const auto& line : in_lines(counted, beside_label(view), "  "))
        add_labelled(frame, "", line, view);
}

std::string last_request(const Json& last, const std::string& what, const View& view) {
    if (!last.is_object()) return "nobody yet";
    return fmt::format("{}, {} ago: {}", shown(at(last, "/source"), view),
                       span_of_time(at(last, "/age_seconds")), what);
}

void add_last_check(Frame& frame, const Json& agent, const View& view) {
    const Json& last = at(agent, "/last_check");
    const auto reply = shown(at(last, "/reply"), view);
    // The node's own reply above has the reason too.
    auto text = first_fitting({last_request(last, reply, view),
                               last_request(last, reply.substr(0, reply.find(" # ")), view)},
                              beside_label(view));
    std::string told;
    for (const auto& [word, count] : at(agent, "/checks").items())
        if (count.is_number() && count != 0) told += fmt::format(" {} {}", word, number(count));
    if (!told.empty()) text += ";  told" + told;
    std::string_view label = "last check";
    for (const auto& line : in_lines(text, beside_label(view), ";  "))
        add_labelled(frame, std::exchange(label, ""), line, view);
}

void add_balancers(Frame& frame, const Json& agent, const View& view) {
    add_last_check(frame, agent, view);
    if (const Json& refused = at(agent, "/last_refused"); refused.is_object())
        add_labelled(frame, "refused",
                     last_request(refused, shown(at(refused, "/port"), view), view), view,
                     Style::warning);
}

void add_profiles(Frame& frame, const Json& status, const View& view) {
    for (const auto& [key, answer] : at(status, "/profiles").items()) {
        const auto name = shown(Json(key), view);
        const auto reply = shown(at(answer, "/reply"), view);
        const auto why = in_words(answer, view);
        const bool is_long = columns_of(name) >= label_width;
        if (is_long) frame.push_back({{name, Style::dim}});
        add_labelled(frame, is_long ? "" : name, reply, view, style_of(at(answer, "/state")));
        if (columns_of(reply) + 3 + columns_of(why) <= beside_label(view))
            frame.back().push_back({"   " + why, Style::plain});
    }
}

/// From the first column on.
void add_text(Frame& frame, const std::string& text, Style style, const View& view) {
    for (auto& line : in_lines(text, std::max(view.columns, View::fewest_columns)))
        frame.push_back({{std::move(line), style}});
}

Frame help(const View& view) {
    constexpr std::array<std::array<std::string_view, 2>, 8> keys{{
        {"q", "quit"},
        {"p, space", "pause, and go on"},
        {"+, -", "ask more, less often (every 0.25 to 60 s)"},
        {"s", "order interfaces by name, rate in, rate out"},
        {"i", "all interfaces, or those alone whose traffic is the bandwidth"},
        {"o", "all limits, or those alone that are on"},
        {"r", "draw the screen anew"},
        {"h, ?", "this help, and back"},
    }};
    Frame frame{heading("Keys", view)};
    for (const auto& [key, what] : keys) add_labelled(frame, key, std::string(what), view);
    const std::array<std::string, 2> texts{
        "Bars and plots show value / maximum of each limit. The highest one, the bottleneck, makes "
        "the weight; at 100 % of a hard limit the node is down. A column of a plot is the highest "
        "of 6 s.",
        fmt::format("Rates are of the agent's counters, over 2, 10 and 60 s: \"-\" until {} was "
                    "watched so long.",
                    view.address)};
    for (const auto& text : texts) add_text(frame, text, Style::plain, view);
    return frame;
}

}  // namespace

Frame render(const Json& status, const StatusHistory& history, const View& view) {
    Frame frame{title(status, view)};
    if (!view.fault.empty()) add_text(frame, shown(Json(view.fault), view), Style::bad, view);
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
