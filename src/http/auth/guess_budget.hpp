// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <wcs_node_agent/clock.hpp>

#include <chrono>
#include <cstddef>
#include <map>

#include <boost/asio/ip/address.hpp>

namespace wcs_node_agent {

/// How many wrong passwords each source may still try: `burst` at once, then one in each `pause`.
class GuessBudget {
 public:
    static constexpr double burst = 10;
    static constexpr std::chrono::seconds pause{6};
    static constexpr std::size_t most_sources = 1024;

    /// Spends one guess; false: the source has none left.
    bool take(const boost::asio::ip::address& source, Clock::time_point now);

    /// The guess was right, or not looked at.
    void give_back(const boost::asio::ip::address& source);

 private:
    struct Left {
        double guesses = burst;
        Clock::time_point at;
    };

    void evict_if_full(Clock::time_point now);

    std::map<boost::asio::ip::address, Left> left_;
};

}  // namespace wcs_node_agent
