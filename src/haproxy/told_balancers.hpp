// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <wcs_node_agent/clock.hpp>

#include <chrono>
#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/ip/address.hpp>

namespace wcs_node_agent {

/// Which balancers heard the operator's `drain` or `maint`, and so have to hear `ready`, as nothing
/// else undoes these in HAProxy; nobody else may hear it, as it undoes too what an operator set
/// there. A balancer is an address that asks for one answer, the node's or a profile's. Backends
/// that ask for the same one from the same address cannot be told apart, and each has to hear it:
/// so it is repeated for a while from the first time on. Of more than `most` balancers those are
/// kept that heard something last.
class ToldBalancers {
 public:
    static constexpr std::size_t most = 256;

    struct Balancer {
        std::string profile;  // empty: the node's answer
        boost::asio::ip::address address;
        std::optional<std::chrono::system_clock::time_point> ready_since = {};  // heard it first

        bool operator==(const Balancer&) const = default;
    };

    /// Longer than the interval at which the slowest backend asks.
    void repeat_for(std::chrono::nanoseconds time) { repeat_for_ = time; }

    /// Called after each change of balancers().
    void on_change(std::function<void()> changed) { changed_ = std::move(changed); }

    /// Whether a reply without the operator's word has to say `ready`.
    bool has_to_hear_ready(std::string_view profile, const boost::asio::ip::address& address) const;

    /// It was answered with the operator's drain or maint.
    void heard_out(std::string_view profile, const boost::asio::ip::address& address,
                   Clock::time_point now);

    /// It was answered with `ready`.
    void heard_ready(std::string_view profile, const boost::asio::ip::address& address,
                     Clock::time_point now);

    /// Forgets those that have heard it for long enough.
    void forget_done(Clock::time_point now);

    /// How many have not heard `ready` yet.
    std::size_t awaiting() const;

    /// What has to be known after a restart.
    std::vector<Balancer> balancers() const;
    void restore(std::vector<Balancer> balancers, Clock::time_point now);

 private:
    struct Told {
        Balancer balancer;
        Clock::time_point last;
        std::optional<Clock::time_point> ready_since = {};
    };

    std::vector<Told>::iterator find(std::string_view profile,
                                     const boost::asio::ip::address& address);
    void report();

    std::vector<Told> told_;
    std::chrono::nanoseconds repeat_for_{};
    std::function<void()> changed_;
};

}  // namespace wcs_node_agent
