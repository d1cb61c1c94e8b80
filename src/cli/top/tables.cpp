// SPDX-License-Identifier: Apache-2.0
#include "cli/top/tables.hpp"

#include "cli/status_text.hpp"
#include "cli/top/fitting.hpp"
#include "cli/top/parts.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace wcs_node_agent {
namespace {

using status_text::at;
using status_text::number;

constexpr std::array<double, 3> windows{2, 10, 60};  // s
constexpr std::size_t cpu_width = 26;                // columns

std::vector<std::string> interfaces_in_order(const Json& status, const StatusHistory& history,
                                             const View& view) {
    std::vector<std::string> names;
    for (const Json& interface : at(status, "/interfaces"))
        if (at(interface, "/name").is_string() &&
            (view.all_interfaces || at(interface, "/chosen") == true))
            names.push_back(interface["name"].get<std::string>());
    const char* counter = view.order == InterfaceOrder::in ? "receive_bytes" : "transmit_bytes";
    std::ranges::stable_sort(names, [&](const auto& left, const auto& right) {
        if (view.order == InterfaceOrder::name) return left < right;
        return history.rate(left, counter, windows[0]).value_or(0) >
               history.rate(right, counter, windows[0]).value_or(0);
    });
    return names;
}

Line interface_heading(const View& view) {
    const auto column = [&](InterfaceOrder order, std::string_view text) {
        return fmt::format("{}{}", text, view.order == order ? "*" : "");
    };
    return heading(fmt::format("{:<16}{:>13}{:>9}{:>9}  {:>13}{:>9}{:>9}",
                               column(InterfaceOrder::name, "INTERFACE"),
                               column(InterfaceOrder::in, "IN Mbit/s") + " 2s", "10s", "60s",
                               column(InterfaceOrder::out, "OUT") + " 2s", "10s", "60s"),
                   view);
}

std::vector<Line> interface_rows(const Json& status, const StatusHistory& history,
                                 const View& view) {
    std::vector<Line> rows;
    for (const auto& name : interfaces_in_order(status, history, view)) {
        std::string row = fmt::format("{:<16.16}", shown(Json(name), view));
        for (const char* counter : {"receive_bytes", "transmit_bytes"}) {
            for (std::size_t i = 0; i < windows.size(); ++i)
                row += cell(history.rate(name, counter, windows[i]), 8e-6, i == 0 ? 13 : 9);
            row += "  ";
        }
        rows.push_back({{std::move(row)}});
    }
    if (rows.empty()) rows.push_back({{"none is chosen (i shows all)", Style::warning}});
    return rows;
}

void add_peaks(Frame& frame, const Json& rates, const View& view) {
    const auto whole = [&rates](const char* rate) {
        const Json& json = at(rates, rate);
        return json.is_number() ? fmt::format("{:.0f}", json.get<double>()) : "-";
    };
    const auto bits =
        fmt::format("in {}, out {} Mbit/s", number(at(rates, "/peak_bits_in_per_second"), 1e-6),
                    number(at(rates, "/peak_bits_out_per_second"), 1e-6));
    const auto over = " for " + number(at(rates, "/peak_bucket_seconds"), 1e3) + " ms";
    const auto frames = fmt::format("in {}, out {}", whole("/frames_in_per_second"),
                                    whole("/frames_out_per_second"));
    add_labelled(
        frame, "peaks",
        first_fitting({bits + over + "; frames a second " + frames,
                       bits + over + "; frames/s " + frames, bits + "; frames/s " + frames},
                      beside_label(view)),
        view);
}

struct Cpu {
    int number;
    std::array<std::optional<double>, windows.size()> busy;  // shares
};

std::vector<Cpu> cpus_of(const Json& status, const StatusHistory& history) {
    std::vector<Cpu> cpus;
    for (const Json& json : at(status, "/cpus")) {
        if (!at(json, "/cpu").is_number_integer()) continue;
        Cpu& cpu = cpus.emplace_back(Cpu{.number = json["cpu"].get<int>(), .busy = {}});
        for (std::size_t i = 0; i < windows.size(); ++i)
            cpu.busy[i] = history.busy(cpu.number, windows[i]);
    }
    return cpus;
}

/// How many CPUs stand side by side.
std::size_t cpus_across(const View& view) {
    return std::max<std::size_t>(1, view.columns / cpu_width);
}

Line cpu_heading(std::size_t across, const View& view) {
    std::string text;
    for (std::size_t i = 0; i < across; ++i)
        text += fmt::format("{:<7}{:>5}{:>6}{:>6}  ", i == 0 ? "CPU %" : "", "2s", "10s", "60s");
    return heading(std::move(text), view);
}

std::vector<Line> cpu_rows(const std::vector<Cpu>& cpus, std::size_t across) {
    std::vector<Line> rows;
    for (std::size_t i = 0; i < cpus.size(); ++i) {
        if (i % across == 0) rows.emplace_back();
        std::string entry = fmt::format("{:<5}", cpus[i].number);
        for (std::size_t j = 0; j < windows.size(); ++j)
            entry += cell(cpus[i].busy[j], 100, j == 0 ? 7 : 6);
        const bool hot = cpus[i].busy[0].value_or(0) >= 0.9;
        rows.back().push_back(
            {fmt::format("{:<{}}", entry, cpu_width), hot ? Style::warning : Style::plain});
    }
    return rows;
}

/// At most `room` rows, but one; the last of several then stands for those that have none.
void add_rows(Frame& frame, std::vector<Line> rows, std::size_t room) {
    if (rows.size() > room) {
        rows.resize(std::max<std::size_t>(1, room));
        if (room > 1) rows.back() = {{"...", Style::dim}};
    }
    std::ranges::move(rows, std::back_inserter(frame));
}

}  // namespace

void add_tables(Frame& frame, const Json& status, const StatusHistory& history, const View& view,
                std::optional<std::size_t> room) {
    auto interfaces = interface_rows(status, history, view);
    auto cpus = cpus_of(status, history);
    const std::size_t across = std::min(cpus_across(view), std::max<std::size_t>(1, cpus.size()));
    std::size_t for_cpus = (cpus.size() + across - 1) / across;
    std::size_t for_interfaces = interfaces.size();
    constexpr std::size_t other_lines = 3;  // two headings, and the peaks
    if (room && *room < for_cpus + for_interfaces + other_lines) {
        const std::size_t left = std::max(other_lines + 2, *room) - other_lines;
        for_cpus = std::min(for_cpus, std::max(left / 2, left - std::min(left, for_interfaces)));
        for_interfaces = left - for_cpus;
        std::ranges::stable_sort(cpus, [](const Cpu& one, const Cpu& other) {
            return one.busy[0].value_or(0) > other.busy[0].value_or(0);
        });
    }
    frame.push_back(interface_heading(view));
    add_rows(frame, std::move(interfaces), for_interfaces);
    add_peaks(frame, at(status, "/rates"), view);
    frame.push_back(cpu_heading(across, view));
    add_rows(frame, cpu_rows(cpus, across), for_cpus);
}

}  // namespace wcs_node_agent
