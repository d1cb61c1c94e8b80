// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <utility>
#include <vector>

namespace wcs_node_agent::balance {

/// Members each of which is due once a period, at a phase of its own. Which is next costs nothing:
/// their order is the same in every period.
template <class Member>
class Rounds {
 public:
    struct Due {
        double phase;  // 0..period
        Member member;
    };

    /// due: not empty. from: the beginning of the first period.
    Rounds(double from, double period, std::vector<Due> due)
        : period_(period), begin_(from), due_(std::move(due)) {
        std::ranges::stable_sort(due_, {}, &Due::phase);
    }

    double next_at() const { return begin_ + due_[next_].phase; }

    /// The one that is due at next_at().
    Member pop() {
        const auto member = due_[next_].member;
        if (++next_ == due_.size()) {
            next_ = 0;
            begin_ += period_;
        }
        return member;
    }

 private:
    double period_;
    double begin_;
    std::vector<Due> due_;
    std::size_t next_ = 0;
};

}  // namespace wcs_node_agent::balance
