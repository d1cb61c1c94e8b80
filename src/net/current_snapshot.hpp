// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <wcs_node_agent/snapshot.hpp>

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

    /// Replaces the snapshot; those who hold the old one keep it. Never null.
    void publish(std::shared_ptr<const Snapshot> next);

    /// Waits until there is one. Null only if the wait was cancelled.
    asio::awaitable<std::shared_ptr<const Snapshot>> first();

 private:
    std::shared_ptr<const Snapshot> current_;
    asio::steady_timer published_;  // never expires: the first publish() cancels it
};

}  // namespace wcs_node_agent
