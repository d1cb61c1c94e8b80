// SPDX-License-Identifier: Apache-2.0
#include "http/auth/password_checker.hpp"

#include "net/open_connections.hpp"

#include <new>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/rand.h>
#include <stdexcept>
#include <unistd.h>
#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <spdlog/spdlog.h>

namespace wcs_node_agent {

namespace asio = boost::asio;

namespace {

constexpr auto use_tuple = asio::as_tuple(asio::use_awaitable);

/// A process that has just died is started again, but not for ever for the same question.
constexpr int tries = 2;

}  // namespace

struct PasswordChecker::Question {
    asio::ip::address source;
    std::string password;
    std::string hash;
    asio::steady_timer done;  // cancelled with the verdict
    std::optional<bool> right = {};
    bool given_up = false;
};

PasswordChecker::PasswordChecker(asio::any_io_executor executor) : executor_(std::move(executor)) {}

PasswordChecker::~PasswordChecker() = default;

void PasswordChecker::configure(Users users) {
    users_ = std::move(users);
    remembered_.clear();
    if (users_.empty()) {
        if (process_ && asked_) process_->kill();
        if (!asked_) process_.reset();
        return;
    }
    if (RAND_bytes(key_.data(), static_cast<int>(key_.size())) != 1)
        throw std::runtime_error("no random numbers for the key of passwords");
}

PasswordChecker::Digest PasswordChecker::digest(std::string_view user,
                                                std::string_view password) const {
    std::string text(user);
    text.append(1, '\0').append(password);
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
                                                                 std::string password) {
    // crypt(3) would stop at a zero byte.
    if ((user + password).find('\0') != std::string::npos) co_return Verdict::wrong;
    const auto made = digest(user, password);
    const auto remembered = remembered_.find(user);
    if (remembered != remembered_.end() &&
        CRYPTO_memcmp(remembered->second.data(), made.data(), made.size()) == 0)
        co_return Verdict::right;

    const auto source = source_of(from);
    if (!budget_.take(source, Clock::now())) co_return Verdict::too_many_guesses;
    const auto known = users_.find(user);
    const std::string hash = (known == users_.end() ? users_.begin() : known)->second;
    const auto question = std::make_shared<Question>(
        Question{source, std::move(password), hash, asio::steady_timer(executor_, patience)});
    if (enter(question)) co_await question->done.async_wait(use_tuple);
    if (!question->right) {
        question->given_up = true;
        if (asked_ == question && process_) process_->kill();  // it hangs, or never gets to run
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
bool PasswordChecker::enter(const QuestionPtr& question) {
    const auto found = waiting_.find(question->source);
    if (found == waiting_.end()) {
        if (waiting_.size() >= most_waiting_sources) return false;
        waiting_[question->source] = {question};
        turns_.push_back(question->source);
    } else {
        if (found->second.size() >= most_waiting_per_source) return false;
        found->second.push_back(question);
    }
    if (!std::exchange(working_, true)) asio::co_spawn(executor_, work(), asio::detached);
    return true;
}

/// One of each source in turn.
PasswordChecker::QuestionPtr PasswordChecker::next() {
    while (!turns_.empty()) {
        const auto source = turns_.front();
        turns_.pop_front();
        const auto found = waiting_.find(source);
        auto question = std::move(found->second.front());
        found->second.pop_front();
        if (found->second.empty())
            waiting_.erase(found);
        else
            turns_.push_back(source);
        if (!question->given_up) return question;
    }
    return nullptr;
}

asio::awaitable<void> PasswordChecker::work() {
    while ((asked_ = next())) {
        for (int i = 0; i < tries && !asked_->given_up && !asked_->right; ++i)
            asked_->right = co_await compute(*asked_);
        asked_->done.cancel();
    }
    working_ = false;
    if (users_.empty()) process_.reset();
}

/// None: the process could not be started, or has ended.
asio::awaitable<std::optional<bool>> PasswordChecker::compute(const Question& question) {
    if (!process_ && !start_process()) co_return std::nullopt;
    auto answer = PasswordProcess::Answer::ended;
    if (process_->ask(question.password, question.hash)) {
        asio::posix::stream_descriptor readable(executor_, process_->descriptor());
        do {
            co_await readable.async_wait(asio::posix::stream_descriptor::wait_read, use_tuple);
            answer = process_->answer();
        } while (answer == PasswordProcess::Answer::not_yet);
        readable.release();
    }
    if (answer != PasswordProcess::Answer::ended) {
        if (std::exchange(failing_, false)) spdlog::info("passwords are checked again");
        co_return answer == PasswordProcess::Answer::right;
    }
    process_.reset();
    tell_failure("the process that checks passwords has ended; it is started again");
    co_return std::nullopt;
}

bool PasswordChecker::start_process() {
    auto started = PasswordProcess::start();
    if (started)
        process_.emplace(*std::move(started));
    else
        tell_failure(started.error().what);
    return process_.has_value();
}

void PasswordChecker::tell_failure(const std::string& what) {
    if (!std::exchange(failing_, true)) spdlog::error("{}", what);
}

}  // namespace wcs_node_agent
