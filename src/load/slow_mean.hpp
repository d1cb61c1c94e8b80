// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>

namespace wcs_node_agent {

/// A mean over time. Until its window is full each moment counts alike, so the first figures are
/// believed at once; then it forgets, with the window as its time constant.
class SlowMean {
 public:
    /// A value that counts for as long as `passed` since the last, but for no more than 5 s, as
    /// after a standstill it may be of anything; with a window of 0 it is the mean. What is not
    /// finite is left out.
    void observe(double value, std::chrono::nanoseconds passed, std::chrono::nanoseconds window);

    double value() const { return mean_; }  // 0 before the first

 private:
    double mean_ = 0;
    std::chrono::duration<double> observed_{};  // so far, up to the window
};

}  // namespace wcs_node_agent
