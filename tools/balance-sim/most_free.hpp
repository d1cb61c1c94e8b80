// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <bit>
#include <cstddef>
#include <limits>
#include <optional>
#include <vector>

namespace wcs_node_agent::balance {

/// Which of the nodes is used least: a tournament, a change of which costs the logarithm of their
/// number.
class MostFree {
 public:
    explicit MostFree(std::size_t nodes)
        : leaves_(std::bit_ceil(nodes)), used_(leaves_, none), winners_(2 * leaves_) {
        for (std::size_t i = 0; i < leaves_; ++i) winners_[leaves_ + i] = i;
        for (std::size_t i = leaves_ - 1; i > 0; --i) winners_[i] = winners_[2 * i];
    }

    /// none: it takes nothing.
    void set(std::size_t node, double used) {
        used_[node] = used;
        for (auto i = (leaves_ + node) / 2; i > 0; i /= 2) {
            const auto left = winners_[2 * i], right = winners_[2 * i + 1];
            winners_[i] = used_[right] < used_[left] ? right : left;
        }
    }

    std::optional<std::size_t> get() const {
        const auto winner = leaves_ > 1 ? winners_[1] : 0;
        if (used_[winner] == none) return std::nullopt;
        return winner;
    }

    static constexpr double none = std::numeric_limits<double>::infinity();

 private:
    std::size_t leaves_;
    std::vector<double> used_;
    std::vector<std::size_t> winners_;  // 1: of all; leaves from leaves_ on
};

}  // namespace wcs_node_agent::balance
