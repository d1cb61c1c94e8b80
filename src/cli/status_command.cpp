// SPDX-License-Identifier: Apache-2.0
#include "cli/status_command.hpp"

#include "cli/status_text.hpp"
#include "process/exit_status.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <iterator>
#include <ostream>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace wcs_node_agent {
namespace {

using namespace status_text;

std::string bar(double share) {
    constexpr int width = 20;
    const auto filled = static_cast<int>(std::lround(std::clamp(share, 0.0, 1.0) * width));
    return fmt::format("[{:#<{}}{:.<{}}]", "", filled, "", width - filled);
}

std::string limit_row(const std::string& name, std::size_t width, const Json& limit,
                      const Json& bottleneck) {
    const Json& maximum = at(limit, "/maximum");
    const Json& used = at(limit, "/utilisation");
    const Json& unknown = at(limit, "/unknown");
    std::string greatest = unknown.is_string() ? "?" : "off";
    if (maximum.is_number())
        greatest = fmt::format("{} {}", number(maximum), unit_symbol(at(limit, "/unit")));
    std::string row =
        fmt::format("{:<{}}{:>10}  of {:<12}", name, width, number(at(limit, "/value")), greatest);
    if (used.is_number()) {
        row += fmt::format("{:>7} %  {}", number(used, 100), bar(used.get<double>()));
    }
    if (at(limit, "/soft") == true && maximum.is_number()) {
        row += "  soft";
    }
    if (bottleneck == name) {
        row += "  bottleneck";
    }
    if (const Json& below = at(limit, "/up_again_below"); below.is_number()) {
        row += ", up again below " + number(below);
    }
    if (unknown.is_string()) {
        row += "  unknown: " + unknown.get<std::string>();
    }
    row.erase(row.find_last_not_of(' ') + 1);
    return row + '\n';
}

std::string wcs_text(const Json& wcs) {
    const Json& up = at(wcs, "/up");
    if (!up.is_boolean()) {
        return "not asked yet";
    }
    std::string text = up.get<bool>() ? "answers" : "does not answer";
    if (const Json& fault = at(wcs, "/fault_text"); fault.is_string()) {
        text += ": " + fault.get<std::string>();
    }
    if (const Json& age = at(wcs, "/page_age_seconds"); age.is_number()) {
        text += fmt::format(" (last page {} s old)", number(age));
    }
    return text;
}

/// Who asked or was refused last, when, and what was told or where.
std::string last_request(const Json& last, const char* text_key) {
    if (last.is_null()) return "nobody yet";
    return fmt::format("{}, {} s ago: {}", text(at(last, "/source")),
                       number(at(last, "/age_seconds")), text(at(last, text_key)));
}

/// With how much of the time the limit was exceeded, where it was.
std::string peak(const Json& bits, const Json& over_limit) {
    auto text = number(bits, 1e-6) + " Mbit/s";
    if (over_limit.is_number() && over_limit > 0.0)
        text += fmt::format(" (above the limit {} % of the time)", number(over_limit, 100));
    return text;
}

std::string chosen_interfaces(const Json& interfaces) {
    std::vector<std::string> names;
    for (const Json& interface : interfaces) {
        if (at(interface, "/chosen") == true) {
            const bool by_device = at(interface, "/counted_by") == "device";
            names.push_back(text(at(interface, "/name")) +
                            (by_device ? " (by its own counters)" : ""));
        }
    }
    return names.empty() ? "-" : fmt::format("{}", fmt::join(names, ", "));
}

}  // namespace

int show_status(const AgentClient& agent, bool as_json, std::ostream& out, std::ostream& err) {
    const auto status = agent.status();
    if (!status) {
        err << status.error().what;
        return exit_failed;
    }
    out << (as_json ? status->text : status_table(status->json));
    return exit_done;
}

namespace {

using Add = std::function<void(std::string_view name, const std::string& value)>;

/// The verdict of the node or of a profile.
void add_answer(const Json& answer, const Add& add) {
    add("state",
        fmt::format("{}, weight {} %", text(at(answer, "/state")), number(at(answer, "/weight"))));
    add("reply", at(answer, "/state") == "starting"
                     ? "none yet: the first one waits for the rates and for an answer of WCS"
                     : text(at(answer, "/reply")));
    if (const Json& explanation = at(answer, "/weighing/explanation"); explanation.is_string())
        add("weight", text(explanation));
    if (const Json& change = at(answer, "/last_change"); change.is_object())
        add("since", fmt::format("{}, {} s ago: {}", text(at(change, "/time")),
                                 number(at(change, "/age_seconds")), text(at(change, "/reason"))));
}

std::string limit_rows(const Json& answer) {
    std::size_t width = 12;
    for (const auto& [name, limit] : at(answer, "/limits").items()) {
        width = std::max(width, name.size() + 1);
    }
    std::string rows;
    for (const auto& [name, limit] : at(answer, "/limits").items()) {
        rows += limit_row(name, width, limit, at(answer, "/bottleneck"));
    }
    return rows;
}

}  // namespace

std::string status_table(const Json& status) {
    const Json& rates = at(status, "/rates");
    const Json& detail = at(status, "/source/detail");
    std::string table;
    const auto add = [&table](std::string_view name, const std::string& value) {
        fmt::format_to(std::back_inserter(table), "{:<12}{}\n", name, value);
    };
    add_answer(status, add);
    if (const Json& said = at(status, "/operator"); at(said, "/by").is_string()) {
        const Json& awaiting = at(said, "/awaiting_ready");
        add("operator", fmt::format("{} by {} since {}{}", text(at(said, "/word")),
                                    text(at(said, "/by")), text(at(said, "/since")),
                                    awaiting > 0 ? fmt::format("; {} balancers have to hear it yet",
                                                               number(awaiting))
                                                 : ""));
    }
    add("source", text(at(status, "/source/name")) +
                      (detail.is_string() ? " (" + detail.get<std::string>() + ")" : ""));
    add("interfaces", chosen_interfaces(at(status, "/interfaces")));
    add("traffic",
        fmt::format("in {} Mbit/s, out {} Mbit/s", number(at(rates, "/bits_in_per_second"), 1e-6),
                    number(at(rates, "/bits_out_per_second"), 1e-6)));
    add("frames",
        fmt::format("in {} a second, out {} a second", number(at(rates, "/frames_in_per_second")),
                    number(at(rates, "/frames_out_per_second"))));
    if (at(rates, "/peak_bits_in_per_second").is_number())
        add("peaks",
            fmt::format(
                "in {}, out {}, over {} ms within the last second",
                peak(at(rates, "/peak_bits_in_per_second"), at(rates, "/over_limit_in_ratio")),
                peak(at(rates, "/peak_bits_out_per_second"), at(rates, "/over_limit_out_ratio")),
                number(at(rates, "/peak_bucket_seconds"), 1e3)));
    const Json& hottest = at(rates, "/cpu_max_utilisation");
    add("cpus", fmt::format("{}, {} % busy{}", at(status, "/cpus").size(),
                            number(at(rates, "/cpu_utilisation"), 100),
                            hottest.is_number()
                                ? fmt::format(", the busiest one {} %", number(hottest, 100))
                                : ""));
    add("wcs", wcs_text(at(status, "/wcs")));
    add("last check", last_request(at(status, "/agent/last_check"), "/reply"));
    if (const Json& refused = at(status, "/agent/last_refused"); !refused.is_null())
        add("refused", last_request(refused, "/port"));
    add("agent", fmt::format("{}, running for {} s", text(at(status, "/version")),
                             number(at(status, "/uptime_seconds"))));
    table += '\n' + limit_rows(status);
    for (const auto& [name, answer] : at(status, "/profiles").items()) {
        table += '\n';
        add("profile", name);
        add_answer(answer, add);
        table += limit_rows(answer);
    }
    return for_terminal(std::move(table));
}

}  // namespace wcs_node_agent
