// SPDX-License-Identifier: Apache-2.0
#include "http/auth/web_gate.hpp"

#include "unit/net/loopback.hpp"

#include <array>
#include <chrono>
#include <filesystem>
#include <fstream>
#include <future>
#include <memory>
#include <optional>
#include <pthread.h>
#include <string>
#include <thread>
#include <vector>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_future.hpp>
#include <gtest/gtest.h>

namespace wcs_node_agent::test {

namespace {

using enum PasswordChecker::Verdict;

// Cost 4. That of `right`.
const std::string hash = "$2b$04$abcdefghijklmnopqrstuuFmEfrkTQnczNzw475xE2VhDrK1uwJiC";

// Cost 11: a tenth of a second of a CPU.
const std::string slow_hash = "$2b$11$" + hash.substr(7);

// Cost 13: half a second.
const std::string slower_hash = "$2b$13$" + hash.substr(7);

const auto here = asio::ip::make_address("127.0.0.1");
const auto there = asio::ip::make_address("192.0.2.1");

class PasswordCheckerTest : public testing::Test {
 protected:
    PasswordCheckerTest() { configure({{"one", hash}}); }
    ~PasswordCheckerTest() override { loop_.stop(); }

    auto begin(const asio::ip::address& source, std::string user, std::string password) {
        return asio::co_spawn(loop_.executor(),
                              checker_->check(source, std::move(user), Secret(password)),
                              asio::use_future);
    }
    auto check(const asio::ip::address& source, std::string user, std::string password) {
        return begin(source, std::move(user), std::move(password)).get();
    }

    void configure(Users users) {
        loop_.run([&] { checker_->configure(std::move(users)); });
    }

    Loop loop_;
    std::unique_ptr<PasswordChecker> checker_ = std::make_unique<PasswordChecker>(loop_.executor());
};

bool has_worker() {
    for (const auto& thread : std::filesystem::directory_iterator("/proc/self/task")) {
        std::string name;
        std::ifstream(thread.path() / "comm") >> name;
        if (name == "wcs-passwords") return true;
    }
    return false;
}

/// Soon: a thread that was joined may still be on its way out of /proc.
bool is_worker_gone() {
    for (int attempt = 0; attempt < 1000 && has_worker(); ++attempt)
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
    return !has_worker();
}

/// While it lives no thread can be started: a stack of that size finds no room.
class NoThreadMore {
 public:
    NoThreadMore() {
        ::pthread_getattr_default_np(&usual_);
        pthread_attr_t attributes;
        ::pthread_getattr_default_np(&attributes);
        ::pthread_attr_setstacksize(&attributes, std::size_t{1} << 62);
        EXPECT_EQ(::pthread_setattr_default_np(&attributes), 0);
        ::pthread_attr_destroy(&attributes);
    }
    ~NoThreadMore() {
        ::pthread_setattr_default_np(&usual_);
        ::pthread_attr_destroy(&usual_);
    }
    NoThreadMore(const NoThreadMore&) = delete;
    NoThreadMore& operator=(const NoThreadMore&) = delete;

 private:
    pthread_attr_t usual_;
};

}  // namespace

TEST(BasicCredentials, AreTakenApart) {
    struct Row {
        const char* text;
        std::optional<Credentials> credentials;
    };
    const std::array rows{
        Row{"Basic b25lOnJpZ2h0", Credentials("one", "right")},
        Row{"basic  b25lOnJpZ2h0", Credentials("one", "right")},
        Row{"Basic YTpiOmM=", Credentials("a", "b:c")},
        Row{"Basic YTo=", Credentials("a", "")},
        Row{"Basic OmI=", Credentials("", "b")},
        Row{"Basic Og==", Credentials("", "")},
        Row{"Basic YQ==", std::nullopt},
        Row{"Basic b25lOnJpZ2h", std::nullopt},
        Row{"Basic b25l=nJpZ2h", std::nullopt},
        Row{"Basic ====", std::nullopt},
        Row{"Basic ", std::nullopt},
        Row{"Basic", std::nullopt},
        Row{"Bearer b25lOnJpZ2h0", std::nullopt},
        Row{"", std::nullopt},
    };
    for (const auto& row : rows)
        EXPECT_EQ(parse_basic_credentials(row.text), row.credentials) << row.text;
}

TEST_F(PasswordCheckerTest, KnowsRightFromWrong) {
    EXPECT_EQ(check(here, "one", "right"), right);
    EXPECT_EQ(check(here, "one", "wrong"), wrong);
    EXPECT_EQ(check(here, "nobody", "right"), wrong) << "the hash is another user's";
    EXPECT_EQ(check(here, "one", ""), wrong);
    EXPECT_EQ(check(here, "one", std::string("right\0", 6)), wrong);
    EXPECT_EQ(check(here, "one", "right"), right) << "remembered";
}

TEST_F(PasswordCheckerTest, ForgetsWhoIsGone) {
    EXPECT_EQ(check(here, "one", "right"), right);
    configure({{"two", hash}});
    EXPECT_EQ(check(here, "one", "right"), wrong);
    EXPECT_EQ(check(here, "two", "right"), right);
    configure({{"one", hash}, {"two", hash}});
    configure({{"one", hash}, {"two", "$2y" + hash.substr(0, 5)}});
    EXPECT_EQ(check(here, "two", "right"), wrong) << "its hash is another";
}

TEST_F(PasswordCheckerTest, RemembersWhoStaysWhateverItsAddressGuesses) {
    EXPECT_EQ(check(here, "one", "right"), right);
    for (int i = 0; i < 2 * static_cast<int>(GuessBudget::burst); ++i)
        check(here, "one", std::to_string(i));
    EXPECT_EQ(check(here, "one", "wrong"), too_many_guesses);
    configure({{"one", hash}, {"two", slow_hash}});
    EXPECT_EQ(check(here, "one", "right"), right);
    EXPECT_EQ(check(here, "one", "wrong"), too_many_guesses) << "nor is its budget given back";
}

TEST_F(PasswordCheckerTest, WhereManySourcesWaitTheOnesThatAskMostGiveWay) {
    configure({{"one", slower_hash}, {"fast", hash}});
    std::vector<std::future<PasswordChecker::Verdict>> asked;
    const auto flood = PasswordChecker::most_waiting / PasswordChecker::most_waiting_per_source + 2;
    for (std::size_t i = 0; i < flood; ++i) {
        const asio::ip::address_v4 source(0x0a000000 + static_cast<unsigned>(i));
        for (std::size_t n = 0; n < PasswordChecker::most_waiting_per_source; ++n)
            asked.push_back(begin(source, "one", std::to_string(n)));
    }
    const auto newcomer = begin(here, "fast", "right");
    // What is over the bound is refused at once, and one more for the newcomer.
    std::size_t refused = 0;
    for (int attempt = 0; attempt < 1'000 && refused < 6; ++attempt) {
        std::this_thread::sleep_for(std::chrono::milliseconds(5));
        for (auto& one : asked) {
            const bool ready =
                one.valid() && one.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
            if (ready && one.get() == busy) ++refused;
        }
    }
    EXPECT_GE(refused, 6U);
    EXPECT_EQ(newcomer.wait_for(std::chrono::seconds(0)), std::future_status::timeout)
        << "it waits";
}

TEST_F(PasswordCheckerTest, ASourceThatGuessesHasToWaitAloneAndKnownUsersDoNot) {
    EXPECT_EQ(check(there, "one", "right"), right);
    for (int i = 0; i < static_cast<int>(GuessBudget::burst); ++i)
        EXPECT_EQ(check(there, "one", std::to_string(i)), wrong);
    EXPECT_EQ(check(there, "one", "more"), too_many_guesses);
    EXPECT_EQ(check(there, "one", "right"), right) << "remembered";
    EXPECT_EQ(check(here, "one", "wrong"), wrong) << "another source";
}

TEST_F(PasswordCheckerTest, WhoAsksTooMuchAtOnceIsRefusedAndOthersGetTheirTurn) {
    std::vector<std::future<PasswordChecker::Verdict>> asked;
    for (int i = 0; i < 9; ++i) asked.push_back(begin(there, "one", std::to_string(i)));
    EXPECT_EQ(check(here, "one", "right"), right);
    int refused = 0;
    for (auto& one : asked) refused += one.get() == busy ? 1 : 0;
    EXPECT_GE(refused, 9 - 1 - static_cast<int>(PasswordChecker::most_waiting_per_source) - 2);
}

TEST_F(PasswordCheckerTest, HasAThreadFromTheFirstQuestionUntilThereAreNoUsers) {
    EXPECT_EQ(check(here, "one", std::string("\0", 1)), wrong) << "no question for the thread";
    EXPECT_TRUE(is_worker_gone());
    EXPECT_EQ(check(here, "one", "right"), right);
    EXPECT_TRUE(has_worker());
    configure({});
    EXPECT_TRUE(is_worker_gone());
    configure({{"one", hash}});
    EXPECT_EQ(check(here, "one", "right"), right);
    EXPECT_TRUE(has_worker());
}

TEST_F(PasswordCheckerTest, WhereUsersGoWhileItComparesItsThreadEndsAfterwards) {
    configure({{"one", slower_hash}});
    auto asked = begin(here, "one", "right");
    while (!has_worker()) std::this_thread::yield();
    configure({});
    EXPECT_TRUE(has_worker()) << "not waited for";
    EXPECT_EQ(asked.get(), wrong);
    EXPECT_TRUE(is_worker_gone());
}

TEST_F(PasswordCheckerTest, WithoutAThreadNoPasswordIsRightOrWrongAndNoneIsPaidFor) {
    {
        const NoThreadMore none;
        for (int i = 0; i < 2 * static_cast<int>(GuessBudget::burst); ++i)
            EXPECT_EQ(check(here, "one", "right"), busy);
    }
    EXPECT_EQ(check(here, "one", "right"), right) << "with the next question there is one";
}

TEST_F(PasswordCheckerTest, AfterATimeoutTheNextQuestionWaitsForTheThread) {
    // The comparison takes longer than the timeout on any machine.
    checker_ = std::make_unique<PasswordChecker>(loop_.executor(), std::chrono::milliseconds(100));
    configure({{"one", slower_hash}});
    EXPECT_EQ(check(here, "one", "wrong"), busy);
    configure({{"one", hash}});
    auto verdict = busy;
    for (int i = 0; i < 1000 && verdict == busy; ++i) verdict = check(here, "one", "right");
    EXPECT_EQ(verdict, right);
}

TEST_F(PasswordCheckerTest, UsersThatChangeWhileAPasswordIsComparedCount) {
    std::future<PasswordChecker::Verdict> asked;
    loop_.run([&] {
        asked = begin(here, "one", "right");
        checker_->configure({{"one", "$2y" + hash.substr(3)}});
    });
    EXPECT_EQ(asked.get(), wrong);
}

TEST_F(PasswordCheckerTest, MayBeDestroyedWhileItComparesAndOthersWait) {
    configure({{"one", slow_hash}});
    std::vector<std::future<PasswordChecker::Verdict>> asked;  // one compared, one waiting
    for (const char* password : {"right", "wrong"}) asked.push_back(begin(here, "one", password));
    while (!has_worker()) std::this_thread::yield();
    loop_.stop();
    checker_.reset();
    EXPECT_TRUE(is_worker_gone());
}

TEST(GuessBudget, ComesBackWithTime) {
    GuessBudget budget;
    const Clock::time_point start{};
    for (int i = 0; i < static_cast<int>(GuessBudget::burst); ++i)
        EXPECT_TRUE(budget.take(here, start));
    EXPECT_FALSE(budget.take(here, start));
    EXPECT_TRUE(budget.take(there, start));
    EXPECT_FALSE(budget.take(here, start + GuessBudget::pause / 2));
    EXPECT_TRUE(budget.take(here, start + GuessBudget::pause));
    EXPECT_FALSE(budget.take(here, start + GuessBudget::pause));
    budget.give_back(here);
    EXPECT_TRUE(budget.take(here, start + GuessBudget::pause));
}

TEST(GuessBudget, ManySourcesDoNotGiveAGuesserItsBudgetBack) {
    GuessBudget budget;
    const Clock::time_point start{};
    while (budget.take(here, start)) {
    }
    for (unsigned i = 0; i < 2 * GuessBudget::most_sources; ++i)
        EXPECT_TRUE(budget.take(asio::ip::address_v4(0x0a000000 + i), start));
    EXPECT_FALSE(budget.take(here, start));
}

}  // namespace wcs_node_agent::test
