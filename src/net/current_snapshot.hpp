// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <wcs_node_agent/clock.hpp>
#include <wcs_node_agent/snapshot.hpp>

#include <chrono>
#include <memory>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

namespace wcs_node_agent {

namespace asio = boost::asio;

/// The newest snapshot, which every reply is taken from.
class CurrentSnapshot {
 public:
    explicit CurrentSnapshot(const asio::any_io_executor& executor);

    /// Null before the first one.
    std::shared_ptr<const Snapshot> get() const { return current_; }

    /// The one to reply to a check with. Null while the first reply is not due, and where nothing
    /// was published for so long that the last one may not be true any more.
    std::shared_ptr<const Snapshot> get_current(Clock::time_point now) const {
        const bool valid = now - published_at_ < valid_for_;
        return valid && current_ && !current_->starting ? current_ : nullptr;
    }

    /// How long a snapshot is current after its publication, greater than 0; for ever until it is
    /// set.
    void set_valid_for(std::chrono::nanoseconds time) { valid_for_ = time; }

    /// Replaces the snapshot; those who hold the old one keep it. Never null.
    void publish(std::shared_ptr<const Snapshot> next);

    /// Waits for the next publication, or for its own cancellation.
    asio::awaitable<void> wait_for_next();

 private:
    std::shared_ptr<const Snapshot> current_;
    Clock::time_point published_at_;
    std::chrono::nanoseconds valid_for_ = std::chrono::nanoseconds::max();
    asio::steady_timer next_;  // never expires: publish() cancels it
};

}  // namespace wcs_node_agent
