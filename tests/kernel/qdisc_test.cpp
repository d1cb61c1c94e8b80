// SPDX-License-Identifier: Apache-2.0
/// What a queueing discipline drops is not sent: the truth is its own "Sent".
#include "network.hpp"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace wcs_node_agent {
namespace {

enum class Load { small_udp, large_udp, tcp };

struct QueueCase {
    const char* name;
    std::vector<const char*> setup;  // tc commands; the first makes the root
    Load load;
    bool codel = false;  // drops as it takes from the queue
};

const std::vector<const char*> tbf{"qdisc add dev wan root tbf rate 8mbit burst 16kb limit 30kb"};
// shorter than what the socket lets wait, or the sender is held up and nothing is dropped
const std::vector<const char*> short_tbf{
    "qdisc add dev wan root tbf rate 8mbit burst 16kb limit 10kb"};
const std::vector<const char*> htb{"qdisc add dev wan root handle 1: htb default 1",
                                   "class add dev wan parent 1: classid 1:1 htb rate 8mbit",
                                   "qdisc add dev wan parent 1:1 pfifo limit 2"};
const std::vector<const char*> fq_codel_over_limit{
    "qdisc add dev wan root handle 1: htb default 1",
    "class add dev wan parent 1: classid 1:1 htb rate 8mbit",
    "qdisc add dev wan parent 1:1 fq_codel limit 20 target 1s interval 2s noecn"};
const std::vector<const char*> fq_codel_own_drops{
    "qdisc add dev wan root handle 1: htb default 1",
    "class add dev wan parent 1: classid 1:1 htb rate 8mbit",
    "qdisc add dev wan parent 1:1 fq_codel limit 10240 target 1ms interval 5ms noecn"};

struct QueueFigures {
    Frames sent;
    std::int64_t drops = 0;
};

class Queue : public TwoHosts, public testing::WithParamInterface<QueueCase> {
 protected:
    void send(Load load) {
        switch (load) {
            case Load::small_udp:
                send_udp(here_, "10.77.0.2", 5000, 40'000, 60, 80);
                break;
            case Load::large_udp:
                send_udp(here_, "10.77.0.2", 5000, 20'000, 1'400, 35);
                break;
            case Load::tcp:
                send_tcp(here_, there_, "10.77.0.2", 5001, 2 << 20);
                break;
        }
    }

    /// The root's figures, once nothing waits in it any more.
    QueueFigures settled() {
        const auto root = empty_root_qdisc(here_, "wan");
        return {{root.at("packets"), root.at("bytes")}, root.at("drops")};
    }
};

INSTANTIATE_TEST_SUITE_P(EachKind, Queue,
                         testing::Values(QueueCase{"tbf_small_udp", short_tbf, Load::small_udp},
                                         QueueCase{"tbf_large_udp", tbf, Load::large_udp},
                                         QueueCase{"tbf_tcp", tbf, Load::tcp},
                                         QueueCase{"htb_small_udp", htb, Load::small_udp},
                                         QueueCase{"htb_large_udp", htb, Load::large_udp},
                                         QueueCase{"htb_tcp", htb, Load::tcp}),
                         [](const auto& row) { return std::string(row.param.name); });

INSTANTIATE_TEST_SUITE_P(
    NeedsModule, Queue,
    testing::Values(QueueCase{"fq_codel_over_its_limit", fq_codel_over_limit, Load::large_udp},
                    QueueCase{"codel_udp", fq_codel_own_drops, Load::large_udp, true},
                    QueueCase{"codel_tcp", fq_codel_own_drops, Load::tcp, true}),
    [](const auto& row) { return std::string(row.param.name); });

TEST_P(Queue, WhatItDropsIsNotSent) {
    Watch here(here_);
    const auto kind = here.probe->read()->qdisc_drops;
    if (kind == QdiscDrops::count_as_sent)
        GTEST_SKIP() << "this kernel does not report what the qdisc drops (from Linux 5.18)";
    if (GetParam().codel && kind != QdiscDrops::subtracted)
        GTEST_SKIP() << "this kernel does not report what CoDel drops (from Linux 6.14)";
    try {
        for (const auto* command : GetParam().setup) here_.run(std::string("tc ") + command);
    } catch (const std::runtime_error& error) {
        if (std::string(error.what()).find("qdisc kind is unknown") == std::string::npos) throw;
        GTEST_SKIP() << "this kernel has no such queueing discipline";
    }
    const auto sink = udp_sink(there_, 5000);
    // Some guests' kernels run no tracepoint's program over a thread of process 1, so what the
    // queue drops in a softirq there cannot be seen: seldom, and never again and again.
    constexpr int attempts = 4;
    for (int attempt = 1; attempt <= attempts; ++attempt) {
        const auto queue_before = settled();
        const auto counted_before = sent(here.counters("wan"));
        send(GetParam().load);
        const auto queue = settled();
        EXPECT_GT(queue.drops - queue_before.drops, GetParam().load == Load::tcp ? 0 : 1'000)
            << "else the test shows nothing";

        const auto by_queue = queue.sent - queue_before.sent;
        const auto by_agent = sent(here.counters("wan")) - counted_before;
        RecordProperty("frames", fmt::format("{} {}", by_agent.packets, by_queue.packets));
        RecordProperty("bytes", fmt::format("{} {}", by_agent.bytes, by_queue.bytes));
        if (by_agent != by_queue && attempt < attempts) continue;
        EXPECT_EQ(by_agent.packets, by_queue.packets);
        EXPECT_EQ(by_agent.bytes, by_queue.bytes);
        return;
    }
}

}  // namespace
}  // namespace wcs_node_agent
