// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/top/frame.hpp"
#include "cli/top/status_history.hpp"
#include "config/json.hpp"

#include <chrono>
#include <cstddef>
#include <optional>
#include <string>

namespace wcs_node_agent {

enum class InterfaceOrder { name, in, out };

/// How much room there is, and what its user chose to see.
struct View {
    static constexpr std::size_t fewest_columns = 60;  // below that lines are cut

    std::size_t columns = 80;
    std::optional<std::size_t> rows = {};  // none: as many as there is to say
    bool utf8 = true;                      // what the terminal can show; else ASCII alone

    InterfaceOrder order = InterfaceOrder::name;
    bool all_limits = false;      // also those that are off
    bool all_interfaces = false;  // also those that are not counted in the bandwidth
    bool paused = false;
    bool help = false;
    std::chrono::milliseconds delay{1000};

    std::string address = {};  // who is asked
    std::string fault = {};    // why the last question had no answer: the figures are older
};

/// The screen for a reading of /status. What it does not have is `-`.
Frame render(const Json& status, const StatusHistory& history, const View& view);

}  // namespace wcs_node_agent
