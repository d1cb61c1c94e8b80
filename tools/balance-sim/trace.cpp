// SPDX-License-Identifier: Apache-2.0
#include "balance-sim/trace.hpp"

#include "balance-sim/limits.hpp"

#include <istream>
#include <optional>
#include <sstream>
#include <string>

#include <fmt/format.h>

namespace wcs_node_agent::balance {

namespace {

std::optional<Arrival> parse_arrival(const std::string& line) {
    std::istringstream words(line);
    double at = 0, length = 0, ramp = 0, cost = 0;
    std::string more;
    if (!(words >> at >> length >> ramp >> cost) || words >> more) return std::nullopt;
    if (length <= 0 || ramp < 0 || cost < 0) return std::nullopt;
    return Arrival{at, {length, ramp, {0, cost * band_limit}}};
}

}  // namespace

Result<std::vector<Arrival>> read_trace(std::istream& in) {
    std::vector<Arrival> arrivals;
    std::size_t number = 0;
    for (std::string line; std::getline(in, line);) {
        ++number;
        if (line.empty() || line.front() == '#') continue;
        const auto arrival = parse_arrival(line);
        if (!arrival || (!arrivals.empty() && arrival->at < arrivals.back().at))
            return Error{fmt::format(
                "line {}: '{}' is not ARRIVAL LENGTH RAMP COST, arrivals in order", number, line)};
        arrivals.push_back(*arrival);
    }
    return arrivals;
}

}  // namespace wcs_node_agent::balance
