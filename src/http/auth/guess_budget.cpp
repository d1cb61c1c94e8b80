// SPDX-License-Identifier: Apache-2.0
#include "http/auth/guess_budget.hpp"

#include <algorithm>

namespace wcs_node_agent {

namespace {

double regained(Clock::duration time) { return Seconds(time) / Seconds(GuessBudget::pause); }

}  // namespace

bool GuessBudget::take(const boost::asio::ip::address& source, Clock::time_point now) {
    if (!left_.contains(source)) evict_if_full(now);
    auto& left = left_.try_emplace(source, Left{.at = now}).first->second;
    left.guesses = std::min(burst, left.guesses + regained(now - left.at));
    left.at = now;
    if (left.guesses < 1) return false;
    --left.guesses;
    return true;
}

void GuessBudget::give_back(const boost::asio::ip::address& source) {
    const auto found = left_.find(source);
    if (found != left_.end()) found->second.guesses = std::min(burst, found->second.guesses + 1);
}

/// A source with its whole budget needs no entry; if there is none, the one nearest to it is
/// evicted.
void GuessBudget::evict_if_full(Clock::time_point now) {
    if (left_.size() < most_sources) return;
    const auto guesses = [now](const auto& entry) {
        return entry.second.guesses + regained(now - entry.second.at);
    };
    std::erase_if(left_, [&](const auto& entry) { return guesses(entry) >= burst; });
    if (left_.size() < most_sources) return;
    left_.erase(std::ranges::max_element(left_, {}, guesses));
}

}  // namespace wcs_node_agent
