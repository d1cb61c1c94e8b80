// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cmath>
#include <cstdint>
#include <numbers>
#include <random>

namespace wcs_node_agent::balance {

/// Random numbers that are the same everywhere for a seed: the standard's own distributions differ
/// from library to library. Streams of one seed are independent of each other.
class Random {
 public:
    Random(std::uint64_t seed, std::uint64_t stream) : engine_(mixed(mixed(seed) + stream)) {}

    /// In [0, 1).
    double uniform() { return static_cast<double>(engine_() >> 11) * 0x1p-53; }
    double uniform(double from, double to) { return from + (to - from) * uniform(); }

    /// 0 .. count - 1; count: greater than 0.
    std::uint64_t below(std::uint64_t count) {
        return static_cast<std::uint64_t>(uniform() * static_cast<double>(count));
    }

    double exponential(double mean) { return -mean * std::log1p(-uniform()); }

    /// Mean 0, deviation 1.
    double normal() {
        const double radius = std::sqrt(-2 * std::log1p(-uniform()));
        return radius * std::cos(2 * std::numbers::pi * uniform());
    }

 private:
    /// splitmix64: seeds that are close to each other become unlike.
    static constexpr std::uint64_t mixed(std::uint64_t value) {
        value += 0x9e3779b97f4a7c15;
        value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9;
        value = (value ^ (value >> 27)) * 0x94d049bb133111eb;
        return value ^ (value >> 31);
    }

    std::mt19937_64 engine_;
};

}  // namespace wcs_node_agent::balance
