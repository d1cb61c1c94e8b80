// SPDX-License-Identifier: Apache-2.0
#include "net/current_snapshot.hpp"

#include "net/use_tuple.hpp"

#include <utility>

namespace wcs_node_agent {

CurrentSnapshot::CurrentSnapshot(const asio::any_io_executor& executor)
    : next_(executor, asio::steady_timer::time_point::max()) {}

void CurrentSnapshot::publish(std::shared_ptr<const Snapshot> next) {
    current_ = std::move(next);
    published_at_ = Clock::now();
    next_.cancel();
}

asio::awaitable<void> CurrentSnapshot::wait_for_next() { co_await next_.async_wait(use_tuple); }

}  // namespace wcs_node_agent
