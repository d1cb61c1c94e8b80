// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "net/use_tuple.hpp"

#include <wcs_node_agent/clock.hpp>
#include <wcs_node_agent/snapshot.hpp>

#include <chrono>
#include <memory>
#include <utility>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

namespace wcs_node_agent {

namespace asio = boost::asio;

/// The newest of what is published with each sample: the snapshot, or one answer of it.
template <class Published>
class Current {
 public:
    explicit Current(const asio::any_io_executor& executor)
        : next_(executor, asio::steady_timer::time_point::max()) {}

    /// Null before the first one.
    std::shared_ptr<const Published> get() const { return current_; }

    /// The one to reply to a check with. Null while the first reply is not due, and where nothing
    /// was published for so long that the last one may not be true any more.
    std::shared_ptr<const Published> get_current(Clock::time_point now) const {
        const bool valid = now - published_at_ < valid_for_;
        return valid && current_ && !current_->starting ? current_ : nullptr;
    }

    /// How long one is current after its publication, greater than 0; for ever until it is set.
    void set_valid_for(std::chrono::nanoseconds time) { valid_for_ = time; }

    /// Replaces it; those who hold the old one keep it. Never null.
    void publish(std::shared_ptr<const Published> next) {
        current_ = std::move(next);
        published_at_ = Clock::now();
        next_.cancel();
    }

    /// Waits for the next publication, or for its own cancellation.
    asio::awaitable<void> wait_for_next() { co_await next_.async_wait(use_tuple); }

 private:
    std::shared_ptr<const Published> current_;
    Clock::time_point published_at_;
    std::chrono::nanoseconds valid_for_ = std::chrono::nanoseconds::max();
    asio::steady_timer next_;  // never expires: publish() cancels it
};

using CurrentSnapshot = Current<Snapshot>;  // what pages are made of
using CurrentAnswer = Current<Answer>;      // what checks are answered with

}  // namespace wcs_node_agent
