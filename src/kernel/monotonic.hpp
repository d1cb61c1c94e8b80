// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>

namespace wcs_node_agent {

// Counters of the kernel can fall (steal after a live migration, a driver that resets, CPUs that a
// container numbers anew), wrap, or jump to what nobody can have counted. What is exported is the
// sum of the increases that can have been: it goes on at once from where it was, and never falls.

/// How far a counter has come between two readings: nothing where it fell, or rose by more than
/// `most`.
constexpr std::uint64_t credible_increase(std::uint64_t before, std::uint64_t after,
                                          std::uint64_t most) {
    if (after < before || after - before > most) return 0;
    return after - before;
}

/// Where to begin: at the first reading, or at 0 if that is beyond 36 years in nanoseconds, or an
/// exabyte. So no sum of increases ever reaches the end of 64 bits.
constexpr std::uint64_t credible_start(std::uint64_t reading) {
    return reading < (std::uint64_t{1} << 60) ? reading : 0;
}

}  // namespace wcs_node_agent
