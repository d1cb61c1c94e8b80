// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "net/connection.hpp"

#include <wcs_node_agent/clock.hpp>

#include <cstddef>
#include <list>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

namespace wcs_node_agent {

namespace asio = boost::asio;

/// Closes connections so that the last reply arrives: says that no more will come, reads away what
/// the client still sends, and closes once the client has, after a second or 64 KiB at the latest,
/// or when the connection is evicted. Must outlive the running of its executor.
class LingeringClose {
 public:
    explicit LingeringClose(const asio::any_io_executor& executor);

    /// Takes a connection to which all has been written.
    void add(Connection connection);

    /// Closes all of them now.
    void finish();

 private:
    struct Closing {
        Connection connection;
        Clock::time_point deadline;
        std::size_t allowance;  // bytes
    };

    static bool is_over(Closing& closing, Clock::time_point now);
    asio::awaitable<void> sweep();

    asio::any_io_executor executor_;
    asio::steady_timer next_sweep_;
    bool sweeping_ = false;
    std::list<Closing> closing_;
};

}  // namespace wcs_node_agent
