// SPDX-License-Identifier: Apache-2.0
#include "net/current_snapshot.hpp"

#include <chrono>
#include <exception>
#include <memory>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

namespace wcs_node_agent {
namespace {

using namespace std::chrono_literals;

class CurrentSnapshotTest : public testing::Test {
 protected:
    /// Whether a wait for the next one has ended by now.
    bool waits_on() {
        context_.restart();
        context_.poll();
        return !ended_;
    }
    void wait() {
        asio::co_spawn(context_, snapshots_.wait_for_next(),
                       asio::bind_cancellation_slot(
                           cancel_.slot(), [this](const std::exception_ptr&) { ended_ = true; }));
    }

    asio::io_context context_;
    CurrentSnapshot snapshots_{context_.get_executor()};
    asio::cancellation_signal cancel_;
    bool ended_ = false;
};

TEST_F(CurrentSnapshotTest, AWaitEndsWithTheNextPublication) {
    wait();
    EXPECT_TRUE(waits_on());
    snapshots_.publish(std::make_shared<Snapshot>());
    EXPECT_FALSE(waits_on());

    ended_ = false;
    wait();
    EXPECT_TRUE(waits_on()) << "one that was there before does not count";
    snapshots_.publish(std::make_shared<Snapshot>());
    EXPECT_FALSE(waits_on());
}

TEST_F(CurrentSnapshotTest, EveryWaitEndsWithTheNextPublication) {
    int ended = 0;
    for (int i = 0; i < 3; ++i)
        asio::co_spawn(context_, snapshots_.wait_for_next(),
                       [&ended](const std::exception_ptr&) { ++ended; });
    context_.poll();
    snapshots_.publish(std::make_shared<Snapshot>());
    context_.restart();
    context_.poll();
    EXPECT_EQ(ended, 3);
}

TEST_F(CurrentSnapshotTest, AWaitEndsWithItsCancellation) {
    wait();
    EXPECT_TRUE(waits_on());
    cancel_.emit(asio::cancellation_type::terminal);
    EXPECT_FALSE(waits_on());
    EXPECT_EQ(snapshots_.get(), nullptr);
}

TEST_F(CurrentSnapshotTest, IsCurrentForAsLongAsItIsValid) {
    EXPECT_EQ(snapshots_.get_current(Clock::now()), nullptr) << "there is none yet";
    const auto snapshot = std::make_shared<const Snapshot>();
    snapshots_.publish(snapshot);
    const auto now = Clock::now();
    EXPECT_EQ(snapshots_.get_current(now + 24h), snapshot) << "no bound was set";
    snapshots_.set_valid_for(2s);
    EXPECT_EQ(snapshots_.get_current(now + 1s), snapshot);
    EXPECT_EQ(snapshots_.get_current(now + 2s), nullptr);
    EXPECT_EQ(snapshots_.get(), snapshot) << "for pages, which say its age";
    while (Clock::now() == now) {
    }
    snapshots_.publish(snapshot);
    EXPECT_EQ(snapshots_.get_current(now + 2s), snapshot) << "as of its last publication";
}

}  // namespace
}  // namespace wcs_node_agent
