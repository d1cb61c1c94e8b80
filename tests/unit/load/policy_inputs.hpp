// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "load/policy.hpp"

// What the tests of the policy give it.

namespace wcs_node_agent {

using namespace std::chrono_literals;

inline const Clock::time_point now(1000s);

inline PolicySettings default_settings() {
    PolicySettings settings{.limits = default_limits(), .recover = 0.95, .stale_after = 10s};
    named(settings.limits, "udp_loss").maximum.reset();  // those who test it set it
    return settings;
}

inline WcsState counts(double publishers, double subscribers, double hls,
                       Clock::duration age = Clock::duration::zero()) {
    WcsState wcs;
    wcs.asked = true;
    wcs.publishers = {publishers, now - age};
    wcs.subscribers = {subscribers, now - age};
    wcs.hls = {hls, now - age};
    return wcs;
}

inline Means means(double cpu, double megabits_in, double megabits_out) {
    return {
        .bits_in = megabits_in * 1e6, .bits_out = megabits_out * 1e6, .cpu_utilisation = cpu / 100};
}

inline Measured rates(double cpu, double megabits_in, double megabits_out) {
    return {.rates = {means(cpu, megabits_in, megabits_out)}};
}

}  // namespace wcs_node_agent
