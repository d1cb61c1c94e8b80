// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "config/web_file.hpp"
#include "http/auth/guess_budget.hpp"
#include "http/auth/password_process.hpp"

#include <array>
#include <cstddef>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/steady_timer.hpp>

namespace wcs_node_agent {

/// Tells right passwords from wrong ones without ever holding up its thread: a PasswordProcess
/// computes, started with the first question. A right password is remembered, as a digest under a
/// key of its own, so that it costs that only once; wrong ones are paid for out of their source's
/// budget, and sources that ask take turns. Must outlive the running of its executor.
class PasswordChecker {
 public:
    enum class Verdict {
        right,
        wrong,
        too_many_guesses,  // of this source: not even looked at
        busy,              // too many wait, or there was no answer in time
    };

    static constexpr std::size_t most_waiting_per_source = 4;
    static constexpr std::size_t most_waiting_sources = 64;
    static constexpr std::chrono::seconds patience{10};  // of one question

    explicit PasswordChecker(boost::asio::any_io_executor executor);
    ~PasswordChecker();

    /// From now on; what was remembered is forgotten.
    void configure(Users users);

    bool wanted() const { return !users_.empty(); }

    /// An unknown user takes as long as a known one.
    boost::asio::awaitable<Verdict> check(boost::asio::ip::address from, std::string user,
                                          std::string password);

 private:
    using Digest = std::array<unsigned char, 32>;
    struct Question;
    using QuestionPtr = std::shared_ptr<Question>;

    Digest digest(std::string_view user, std::string_view password) const;
    bool enter(const QuestionPtr& question);
    QuestionPtr next();
    boost::asio::awaitable<void> work();
    boost::asio::awaitable<std::optional<bool>> compute(const Question& question);
    bool start_process();
    void tell_failure(const std::string& what);

    boost::asio::any_io_executor executor_;
    Users users_;
    std::array<unsigned char, 32> key_{};
    std::map<std::string, Digest, std::less<>> remembered_;  // by user: its right password
    GuessBudget budget_;
    std::map<boost::asio::ip::address, std::deque<QuestionPtr>> waiting_;
    std::deque<boost::asio::ip::address> turns_;  // the sources that wait
    QuestionPtr asked_;
    std::optional<PasswordProcess> process_;
    bool working_ = false;
    bool failing_ = false;
};

}  // namespace wcs_node_agent
