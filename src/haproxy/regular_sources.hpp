// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <wcs_node_agent/clock.hpp>

#include <array>
#include <chrono>
#include <cstddef>

#include <boost/asio/ip/address.hpp>

namespace wcs_node_agent {

/// How many load balancers there are, by the addresses that ask: those that did so at least
/// `regular` times, and within `remembered` again. So who asks by hand is none for long. Server
/// lines of one balancer cannot be told apart, as neither the interval nor its phase is known. Of
/// more than `most` addresses those that asked last are remembered.
class RegularSources {
 public:
    static constexpr std::size_t most = 64;
    static constexpr unsigned regular = 3;
    static constexpr auto remembered = std::chrono::minutes(5);
    static constexpr auto longest_interval = std::chrono::minutes(1);  // that is waited for

    void add(const boost::asio::ip::address& source, Clock::time_point now);

    std::size_t count(Clock::time_point now) const;

    /// Of these how many have not asked since then, but are not overdue by far and so may ask
    /// again.
    std::size_t count_silent(Clock::time_point since, Clock::time_point now) const;

 private:
    struct Source {
        boost::asio::ip::address address;
        Clock::time_point last;
        unsigned asked = 0;                  // up to `regular`; 0: a free slot
        std::chrono::nanoseconds longest{};  // from one time that it asked to the next
    };

    std::array<Source, most> sources_{};
};

}  // namespace wcs_node_agent
