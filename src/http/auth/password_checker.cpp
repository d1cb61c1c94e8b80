// SPDX-License-Identifier: Apache-2.0
#include "http/auth/password_checker.hpp"

#include "net/open_connections.hpp"
#include "net/use_tuple.hpp"

#include <exception>
#include <new>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <stdexcept>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <spdlog/spdlog.h>

namespace wcs_node_agent {

namespace asio = boost::asio;

struct PasswordChecker::Question {
    asio::ip::address source;
    Secret password;  // until the worker has it
    std::string hash;
    asio::steady_timer done;  // expires with the answer, or at the timeout
    std::optional<bool> right = {};
};

PasswordChecker::PasswordChecker(asio::any_io_executor executor, std::chrono::nanoseconds timeout)
    : executor_(std::move(executor)), timeout_(timeout) {}

PasswordChecker::~PasswordChecker() = default;

void PasswordChecker::configure(Users users) {
    std::erase_if(remembered_, [&](const auto& one) {
        const auto before = users_.find(one.first);
        const auto after = users.find(one.first);
        return before == users_.end() || after == users.end() || before->second != after->second;
    });
    users_ = std::move(users);
    if (users_.empty()) {
        if (!answering_) worker_.reset();
        return;
    }
    if (has_key_) return;
    if (RAND_bytes(key_.data(), static_cast<int>(key_.size())) != 1)
        throw std::runtime_error("no random numbers for the key of passwords");
    has_key_ = true;
}

PasswordChecker::Digest PasswordChecker::digest(std::string_view user,
                                                std::string_view password) const {
    std::string text;
    text.reserve(user.size() + 1 + password.size());  // as growing would leave copies behind
    text.append(user).append(1, '\0').append(password);
    Digest made{};
    unsigned size = 0;
    const auto* const bytes = reinterpret_cast<const unsigned char*>(text.data());
    if (HMAC(EVP_sha256(), key_.data(), static_cast<int>(key_.size()), bytes, text.size(),
             made.data(), &size) == nullptr)
        throw std::bad_alloc();
    OPENSSL_cleanse(text.data(), text.size());
    return made;
}

asio::awaitable<PasswordChecker::Verdict> PasswordChecker::check(asio::ip::address from,
                                                                 std::string user,
                                                                 Secret password) {
    // crypt(3) would stop at a zero byte.
    for (const std::string_view text : {std::string_view(user), password.view()})
        if (text.find('\0') != text.npos) co_return Verdict::wrong;
    const auto made = digest(user, password.view());
    const auto remembered = remembered_.find(user);
    if (remembered != remembered_.end() &&
        CRYPTO_memcmp(remembered->second.data(), made.data(), made.size()) == 0)
        co_return Verdict::right;

    const auto source = source_of(from);
    if (!budget_.take(source, Clock::now())) co_return Verdict::too_many_guesses;
    const auto known = users_.find(user);
    const std::string hash = (known == users_.end() ? users_.begin() : known)->second;
    const auto question = std::make_shared<Question>(
        Question{source, std::move(password), hash, asio::steady_timer(executor_, timeout_)});
    if (enqueue(question)) co_await question->done.async_wait(use_tuple);
    if (!question->right) {
        waiting_.remove(source, question);
        budget_.give_back(source);
        co_return Verdict::busy;
    }
    // The users may have changed meanwhile.
    const auto now_known = users_.find(user);
    if (!*question->right || now_known == users_.end() || now_known->second != hash)
        co_return Verdict::wrong;
    budget_.give_back(source);
    remembered_[user] = made;
    co_return Verdict::right;
}

/// False: too many wait already.
bool PasswordChecker::enqueue(const QuestionPtr& question) {
    const auto& source = question->source;
    if (waiting_.size_of(source) >= most_waiting_per_source) return false;
    if (waiting_.size() >= most_waiting) {
        const auto evicted = waiting_.pop_last_of_most(waiting_.size_of(source) + 1);
        if (!evicted) return false;
        (*evicted)->done.expires_at(asio::steady_timer::time_point::min());
    }
    waiting_.push(source, question);
    if (!answering_) asio::co_spawn(executor_, answer_questions(), asio::detached);
    return true;
}

asio::awaitable<void> PasswordChecker::answer_questions() {
    answering_ = true;
    while (const auto next = waiting_.pop()) {
        const auto& question = *next;
        question->right = co_await answer(*question);
        // Not cancel(): where no thread could be started, nobody waits for it yet.
        question->done.expires_at(asio::steady_timer::time_point::min());
    }
    answering_ = false;
    if (users_.empty()) worker_.reset();
}

/// None: there is no thread, or no memory.
asio::awaitable<std::optional<bool>> PasswordChecker::answer(Question& question) {
    try {
        if (!worker_) worker_.emplace();
        const bool right = co_await worker_->verify(std::move(question.password), question.hash);
        if (std::exchange(failing_, false)) spdlog::info("passwords are checked again");
        co_return right;
    } catch (const std::exception& error) {
        if (!std::exchange(failing_, true))
            spdlog::error("passwords cannot be checked: {}", error.what());
    }
    co_return std::nullopt;
}

}  // namespace wcs_node_agent
