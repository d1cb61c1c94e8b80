// SPDX-License-Identifier: Apache-2.0
#include "haproxy/told_balancers.hpp"

#include <algorithm>
#include <utility>

namespace wcs_node_agent {

std::vector<ToldBalancers::Told>::iterator ToldBalancers::find(
    std::string_view profile, const boost::asio::ip::address& address) {
    return std::ranges::find_if(told_, [&](const Told& one) {
        return one.balancer.address == address && one.balancer.profile == profile;
    });
}

bool ToldBalancers::has_to_hear_ready(std::string_view profile,
                                      const boost::asio::ip::address& address) const {
    return std::ranges::any_of(told_, [&](const Told& one) {
        return one.balancer.address == address && one.balancer.profile == profile;
    });
}

void ToldBalancers::heard_out(std::string_view profile, const boost::asio::ip::address& address,
                              Clock::time_point now) {
    if (const auto known = find(profile, address); known != told_.end()) {
        known->last = now;
        if (!std::exchange(known->ready_since, std::nullopt)) return;
        known->balancer.ready_since.reset();
        return report();
    }
    if (told_.size() == most) told_.erase(std::ranges::min_element(told_, {}, &Told::last));
    told_.push_back({{std::string(profile), address}, now});
    report();
}

void ToldBalancers::heard_ready(std::string_view profile, const boost::asio::ip::address& address,
                                Clock::time_point now) {
    const auto known = find(profile, address);
    if (known == told_.end()) return;
    known->last = now;
    if (known->ready_since) return;
    known->ready_since = now;
    known->balancer.ready_since = std::chrono::system_clock::now();
    report();
}

void ToldBalancers::forget_done(Clock::time_point now) {
    const auto is_done = [&](const Told& one) {
        return one.ready_since && now - *one.ready_since >= repeat_for_;
    };
    if (std::erase_if(told_, is_done) > 0) report();
}

std::size_t ToldBalancers::awaiting() const {
    return static_cast<std::size_t>(
        std::ranges::count_if(told_, [](const Told& one) { return !one.ready_since; }));
}

std::vector<ToldBalancers::Balancer> ToldBalancers::balancers() const {
    std::vector<Balancer> all;
    all.reserve(told_.size());
    for (const auto& one : told_) all.push_back(one.balancer);
    return all;
}

void ToldBalancers::restore(std::vector<Balancer> balancers, Clock::time_point now) {
    told_.clear();
    const auto wall = std::chrono::system_clock::now();
    for (auto& one : balancers) {
        Told told{std::move(one), now};
        if (const auto since = told.balancer.ready_since)
            told.ready_since = now - std::max(wall - *since, decltype(wall - *since)::zero());
        if (told_.size() < most) told_.push_back(std::move(told));
    }
    forget_done(now);
}

void ToldBalancers::report() {
    if (changed_) changed_();
}

}  // namespace wcs_node_agent
