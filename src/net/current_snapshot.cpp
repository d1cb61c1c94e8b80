// SPDX-License-Identifier: Apache-2.0
#include "net/current_snapshot.hpp"

#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace wcs_node_agent {

CurrentSnapshot::CurrentSnapshot(const asio::any_io_executor& executor)
    : published_(executor, asio::steady_timer::time_point::max()) {}

void CurrentSnapshot::publish(std::shared_ptr<const Snapshot> next) {
    const bool first = !current_;
    current_ = std::move(next);
    if (first) published_.cancel();
}

asio::awaitable<std::shared_ptr<const Snapshot>> CurrentSnapshot::first() {
    if (!current_) co_await published_.async_wait(asio::as_tuple(asio::use_awaitable));
    co_return current_;
}

}  // namespace wcs_node_agent
