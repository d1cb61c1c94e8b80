// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "daemon/sampler.hpp"

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/steady_timer.hpp>

namespace wcs_node_agent {

namespace asio = boost::asio;

/// Follows links while the agent serves: one coroutine keeps the list of them, the other attaches
/// to what is new in it.
class LinkFollower {
 public:
    LinkFollower(const asio::any_io_executor& executor, Sampler& sampler);

    /// Brings the links up to date whenever netlink reports a change.
    asio::awaitable<void> watch();

    /// Attaches to one interface after the other, with pauses for everybody else.
    asio::awaitable<void> attach();

 private:
    asio::awaitable<void> refresh();

    Sampler& sampler_;
    asio::posix::stream_descriptor messages_;
    asio::steady_timer pause_;   // of watch()
    asio::steady_timer queued_;  // of attach(); cancelled when there is something to attach to
};

}  // namespace wcs_node_agent
