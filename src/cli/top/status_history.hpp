// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "config/json.hpp"

#include <cstddef>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace wcs_node_agent {

/// What one reading of /status has not: how counters rise, and how limits were used before. By the
/// agent's own time, so that neither a slow network nor a stepped clock shows.
class StatusHistory {
 public:
    static constexpr double longest_window = 60;  // s
    static constexpr double longest_plot = 900;   // s

    /// Where the plots begin: what the agent kept (/history) until this reading of /status, as far
    /// as its limits are known by it.
    void begin(const Json& kept, const Json& status);

    /// A later reading. One of the same sample changes nothing; one of an agent that started anew
    /// begins the history anew.
    void add(const Json& status);

    /// Which interface's counter, as /status names it ("receive_bytes"): its increase a second over
    /// the last `window` seconds. None: it was not there so long, or fell meanwhile.
    std::optional<double> rate(const std::string& interface, const std::string& counter,
                               double window) const;

    /// Share of the time that a CPU was busy, 0 to 1, over the last `window` seconds.
    std::optional<double> busy(int cpu, double window) const;

    /// The highest utilisation of a limit in each of the last `columns` spans of `seconds`, the
    /// newest last. None: nothing known.
    std::vector<std::optional<double>> plot(const std::string& limit, std::size_t columns,
                                            double seconds) const;

 private:
    struct Reading {
        double at;                               // s since the agent's start
        std::map<std::string, double> counters;  // INTERFACE/COUNTER, cpu/N
    };
    struct Utilisations {
        double at;
        std::map<std::string, double> limits;
    };

    std::optional<double> rise(const std::string& counter, double window) const;

    std::deque<Reading> readings_;
    std::deque<Utilisations> utilisations_;
};

}  // namespace wcs_node_agent
