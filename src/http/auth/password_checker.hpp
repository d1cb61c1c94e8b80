// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "config/web_file.hpp"
#include "http/auth/guess_budget.hpp"
#include "http/auth/password_worker.hpp"
#include "http/auth/secret.hpp"
#include "net/source_turns.hpp"

#include <array>
#include <chrono>
#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/steady_timer.hpp>

namespace wcs_node_agent {

/// Checks passwords without ever holding up its thread: a PasswordWorker compares, started with the
/// first question and stopped once there are no users. A right password is remembered, as a digest
/// under a key of its own, so that it costs a comparison only once; wrong ones are paid for out of
/// their source's budget, which a remembered one does not ask for. Sources that ask take turns.
/// Must outlive the running of its executor and not its context.
class PasswordChecker {
 public:
    enum class Verdict {
        right,
        wrong,
        too_many_guesses,  // of this source: not even looked at
        busy,              // too many wait, there was no answer in time, or there is no worker
    };

    static constexpr std::size_t most_waiting_per_source = 4;
    static constexpr std::size_t most_waiting = 256;            // of all sources
    static constexpr std::chrono::seconds default_timeout{10};  // of one question

    explicit PasswordChecker(boost::asio::any_io_executor executor,
                             std::chrono::nanoseconds timeout = default_timeout);
    ~PasswordChecker();

    /// The users from now on. The right password of one whose hash is the same stays remembered.
    void configure(Users users);

    bool wanted() const { return !users_.empty(); }

    /// An unknown user takes as long as a known one. A comparison cannot be interrupted: where it
    /// takes longer than the timeout its result is dropped, and the next question waits for its
    /// end.
    boost::asio::awaitable<Verdict> check(boost::asio::ip::address from, std::string user,
                                          Secret password);

 private:
    using Digest = std::array<unsigned char, 32>;
    struct Question;
    using QuestionPtr = std::shared_ptr<Question>;

    Digest digest(std::string_view user, std::string_view password) const;
    bool enqueue(const QuestionPtr& question);
    boost::asio::awaitable<void> answer_questions();
    boost::asio::awaitable<std::optional<bool>> answer(Question& question);

    boost::asio::any_io_executor executor_;
    std::chrono::nanoseconds timeout_;
    Users users_;
    std::array<unsigned char, 32> key_{};
    bool has_key_ = false;
    std::map<std::string, Digest, std::less<>> remembered_;  // by user: its right password
    GuessBudget budget_;
    SourceTurns<QuestionPtr> waiting_;
    bool answering_ = false;
    bool failing_ = false;
    std::optional<PasswordWorker> worker_;
};

}  // namespace wcs_node_agent
