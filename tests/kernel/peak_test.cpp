// SPDX-License-Identifier: Apache-2.0
/// The buckets of time against a sender that notes itself in which of them each of its datagrams
/// falls: whenever it is held up, the truth has that too.
#include "kernel/bucket_reader.hpp"
#include "kernel/ticks.hpp"
#include "load/peak_meter.hpp"
#include "network.hpp"
#include "ticks.skel.h"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <linux/if_ether.h>
#include <map>
#include <memory>
#include <pthread.h>
#include <sched.h>
#include <thread>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fmt/format.h>

namespace wcs_node_agent {
namespace {

using namespace std::chrono_literals;
using std::chrono::nanoseconds;

constexpr std::size_t payload = 1'400;
constexpr std::uint64_t frame = udp_headers + payload;

/// In which bucket the kernel is.
class TickClock {
 public:
    TickClock() : programs_(ticks_bpf__open_and_load(), ticks_bpf__destroy) {
        EXPECT_TRUE(programs_) << "the program that reads the ticks was not loaded";
    }
    std::uint32_t bucket() const {
        std::array<unsigned char, ETH_HLEN> any{};
        bpf_test_run_opts options{};
        options.sz = sizeof(options);
        options.data_in = any.data();
        options.data_size_in = any.size();
        EXPECT_EQ(bpf_prog_test_run_opts(bpf_program__fd(programs_->progs.ticks), &options), 0);
        return options.retval >> bucket_shift(tick_);
    }
    nanoseconds bucket_length() const { return tick_ * (1 << bucket_shift(tick_)); }

 private:
    std::unique_ptr<ticks_bpf, decltype(&ticks_bpf__destroy)> programs_;
    nanoseconds tick_ = tick_length();
};

using Datagrams = std::map<std::uint32_t, std::uint64_t>;  // by bucket

enum class Priority { usual, first };

/// A thread on a CPU, in front of all others there or not.
template <class Work>
std::thread on_cpu(unsigned cpu, Priority priority, Work work) {
    return std::thread([cpu, priority, work] {
        cpu_set_t only;
        CPU_ZERO(&only);
        CPU_SET(cpu % std::thread::hardware_concurrency(), &only);
        ::pthread_setaffinity_np(::pthread_self(), sizeof(only), &only);
        const sched_param first{.sched_priority = 1};
        if (priority == Priority::first)
            ::pthread_setschedparam(::pthread_self(), SCHED_FIFO, &first);
        work();
    });
}

class Sender {
 public:
    Sender(const NetworkNamespace& from, const TickClock& clock)
        : clock_(clock), socket_(from.inside([] {
              return Descriptor(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
          })) {
        sockaddr_in to{};
        to.sin_family = AF_INET;
        to.sin_port = htons(5000);
        ::inet_pton(AF_INET, "10.77.0.2", &to.sin_addr);
        EXPECT_EQ(::connect(socket_.get(), reinterpret_cast<const sockaddr*>(&to), sizeof(to)), 0);
    }

    void send(int datagrams) {
        for (int i = 0; i < datagrams; ++i) {
            ++sent[clock_.bucket()];
            ::send(socket_.get(), data_.data(), data_.size(), 0);
        }
    }
    /// One datagram each interval.
    void send_evenly(nanoseconds interval, nanoseconds duration) {
        const auto began = Clock::now();
        for (auto due = began; due < began + duration; due += interval) {
            while (Clock::now() < due) continue;
            send(1);
        }
    }

    Datagrams sent;

 private:
    const TickClock& clock_;
    Descriptor socket_;
    std::string data_ = std::string(payload, 'x');
};

class PeakTest : public TwoHosts {
 protected:
    void SetUp() override {
        TwoHosts::SetUp();
        sink_ = udp_sink(there_, 5000);
    }

    /// In bit/s.
    double rate(std::uint64_t datagrams) const {
        return static_cast<double>(datagrams * frame) * 8 / Seconds(clock_.bucket_length()).count();
    }

    static void fill_buckets(Watch& watch, const char* interface) {
        const std::array index{watch.counters(interface).index};
        watch.probe->select(index, true);
    }

    /// The peaks of the second up to now, of more than a second that was not read yet.
    static Peaks peaks(Watch& watch) {
        std::this_thread::sleep_for(40ms);  // the last bucket is over, and seen to be
        PeakMeter meter;
        meter.add(watch.probe->read()->buckets.value());
        return meter.peaks();
    }

    const TickClock clock_;
    Descriptor sink_;
};

struct TrafficCase {
    const char* name;
    int burst;                   // datagrams on each CPU, as quickly as it can
    std::vector<unsigned> cpus;  // where the bursts are
    bool over_a_base;            // an even load beside them
};

class PeakTruth : public PeakTest, public testing::WithParamInterface<TrafficCase> {
 protected:
    /// Half a second of it; what was sent.
    Datagrams send() {
        Sender base(here_, clock_);
        std::vector<std::unique_ptr<Sender>> bursts;
        std::vector<std::thread> threads;
        if (GetParam().over_a_base)
            threads.push_back(on_cpu(1, Priority::usual, [&] { base.send_evenly(200us, 500ms); }));
        const auto at = clock_.bucket() + 30;
        for (const auto cpu : GetParam().cpus) {
            auto& sender = *bursts.emplace_back(std::make_unique<Sender>(here_, clock_));
            threads.push_back(on_cpu(cpu, Priority::first, [&, at] {
                while (clock_.bucket() + 1 < at) std::this_thread::sleep_for(1ms);
                while (clock_.bucket() < at) continue;
                sender.send(GetParam().burst);
            }));
        }
        for (auto& thread : threads) thread.join();
        auto all = base.sent;
        for (const auto& sender : bursts)
            for (const auto& [bucket, datagrams] : sender->sent) all[bucket] += datagrams;
        return all;
    }
};

INSTANTIATE_TEST_SUITE_P(EachKind, PeakTruth,
                         testing::Values(TrafficCase{"a_burst", 300, {0}, false},
                                         TrafficCase{"a_burst_over_a_base", 300, {0}, true},
                                         TrafficCase{"bursts_on_two_cpus", 200, {0, 1}, false},
                                         TrafficCase{
                                             "bursts_on_two_cpus_over_a_base", 200, {0, 1}, true},
                                         TrafficCase{"even", 0, {}, true}),
                         [](const auto& row) { return std::string(row.param.name); });

TEST_P(PeakTruth, HasThePeakThatWasSent) {
    Watch here(here_);
    Watch there(there_);
    fill_buckets(here, "wan");
    fill_buckets(there, "peer");
    std::this_thread::sleep_for(1s);
    const auto bursts = static_cast<std::uint64_t>(GetParam().burst) * GetParam().cpus.size();
    constexpr int attempts = 5;  // whoever is held up sends a part of it in another bucket
    for (int attempt = 1; attempt <= attempts; ++attempt) {
        const auto sent = send();
        const auto out = peaks(here);
        const auto in = peaks(there);
        const auto most =
            std::ranges::max_element(sent, {}, &Datagrams::value_type::second)->second;
        EXPECT_NEAR(out.bits_out.value(), rate(most), rate(most) * 0.05);
        EXPECT_NEAR(in.bits_in.value(), rate(most), rate(most) * 0.05);
        EXPECT_EQ(out.bits_in, 0);
        EXPECT_EQ(out.bucket, clock_.bucket_length());
        RecordProperty("sent", fmt::format("{:.1f}", rate(most) * 1e-6));
        RecordProperty("measured", fmt::format("{:.1f}", *out.bits_out * 1e-6));
        if (most >= bursts) return;
        std::this_thread::sleep_for(1s);
    }
    ADD_FAILURE() << "the bursts were never sent within one bucket";
}

TEST_F(PeakTest, EvenTrafficHasNone) {
    Watch here(here_);
    fill_buckets(here, "wan");
    constexpr auto interval = 200us;
    const auto mean = rate(1) * Seconds(clock_.bucket_length()).count() / Seconds(interval).count();
    constexpr int attempts = 6;  // a virtual machine may be held up by its neighbours
    for (int attempt = 1; attempt <= attempts; ++attempt) {
        Sender sender(here_, clock_);
        on_cpu(1, Priority::first, [&] { sender.send_evenly(interval, 900ms); }).join();
        std::this_thread::sleep_for(200ms);
        const auto peak = peaks(here).bits_out.value();
        if (peak > mean * 1.05 && attempt < attempts) continue;
        EXPECT_NEAR(peak, mean, mean * 0.05);
        return;
    }
}

TEST_F(PeakTest, WhatIsNotSelectedIsNotInTheBuckets) {
    Watch here(here_);
    EXPECT_FALSE(here.probe->read()->buckets) << "nothing is selected";
    const std::array<std::uint32_t, 1> other{here.counters("wan").index + 1};
    here.probe->select(other, true);
    std::this_thread::sleep_for(1100ms);
    send_udp(here_, "10.77.0.2", 5000, 100, payload, 100);
    EXPECT_EQ(peaks(here).bits_out, 0);
    here.probe->select(other, false);
    EXPECT_FALSE(here.probe->read()->buckets);
}

/// Behind the hook, so that what it drops was counted: eight times as much as it lets through.
TEST_F(PeakTest, WhatTheQueueingDisciplineDropsIsNoPeak) {
    Watch here(here_);
    if (!here.probe->subtracts_drops())
        GTEST_SKIP() << "this kernel does not report what the qdisc drops (from Linux 5.18)";
    here_.run("tc qdisc add dev wan root tbf rate 8mbit burst 16kb limit 30kb");
    fill_buckets(here, "wan");
    const auto sent_before = sent(here.counters("wan"));
    std::jthread flood([&] { send_udp(here_, "10.77.0.2", 5000, 20'000, payload, 8); });
    std::this_thread::sleep_for(1500ms);  // the queue has been full for a second
    const auto peak = peaks(here).bits_out.value();
    const auto passed = sent(here.counters("wan")) - sent_before;
    flood.join();
    EXPECT_LT(passed.bytes * 8, 8e6 * 2) << "else the test shows nothing";
    // A queue that has run empty takes in all of its 30 KB and 16 KB at once.
    EXPECT_LT(peak, 8e6 + 46e3 * 8 / 0.008) << "92 Mbit/s were queued";
    EXPECT_GT(peak, 8e6 * 0.9);
}

}  // namespace
}  // namespace wcs_node_agent
