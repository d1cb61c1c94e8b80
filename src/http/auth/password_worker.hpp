// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "http/auth/secret.hpp"

#include <string>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/thread_pool.hpp>

namespace wcs_node_agent {

/// A thread that compares passwords with their hashes, one after the other: bcrypt is meant to take
/// milliseconds to seconds, and the serving thread has checks to answer. It takes values and
/// returns values; it shares no state, and does not log.
class PasswordWorker {
 public:
    /// Starts the thread, with the privileges that its creator has then: capabilities belong to
    /// threads. Throws boost::system::system_error if there can be no thread more.
    PasswordWorker();

    /// Waits for the comparison under way; those that wait are dropped.
    ~PasswordWorker() = default;

    /// Whether the password fits its hash, as crypt(3) makes it. Resumes on the caller's executor,
    /// whose context must outlive the worker. Throws std::bad_alloc.
    boost::asio::awaitable<bool> verify(Secret password, std::string hash);

 private:
    boost::asio::thread_pool thread_{1};
};

}  // namespace wcs_node_agent
