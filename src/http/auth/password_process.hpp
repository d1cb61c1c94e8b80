// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <wcs_node_agent/descriptor.hpp>
#include <wcs_node_agent/result.hpp>

#include <optional>
#include <string_view>
#include <sys/types.h>

namespace wcs_node_agent {

/// A child that holds passwords against their hashes: bcrypt is meant to take tens of milliseconds
/// and more, and the agent's one thread has checks to answer. It has no descriptor but its socket,
/// no capability, and ends with its parent. One question at a time.
class PasswordProcess {
 public:
    static Result<PasswordProcess> start();

    PasswordProcess(PasswordProcess&& other) noexcept;
    PasswordProcess& operator=(PasswordProcess&&) = delete;
    ~PasswordProcess();

    /// Never waits. Neither text may hold a zero byte. False: the process has ended.
    bool ask(std::string_view password, std::string_view hash);

    enum class Answer { right, wrong, not_yet, ended };

    /// Whether the password is the right one, as soon as the descriptor is readable. It can also be
    /// woken for nothing, and has not answered yet.
    Answer answer();

    int descriptor() const { return socket_.get(); }

    void kill();

 private:
    PasswordProcess(pid_t pid, Descriptor socket) : pid_(pid), socket_(std::move(socket)) {}

    pid_t pid_;
    Descriptor socket_;
};

}  // namespace wcs_node_agent
