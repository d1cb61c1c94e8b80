// SPDX-License-Identifier: Apache-2.0
/// What a queueing discipline drops is not sent: the truth is its own "Sent".
#include "network.hpp"

#include <chrono>
#include <thread>

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

class Queue : public TwoHosts, public testing::WithParamInterface<QueueCase> {
 protected:
    /// The root's figures, once nothing waits in it any more.
    nlohmann::json settled() {
        const auto deadline = Clock::now() + std::chrono::seconds(20);
        for (;;) {
            for (const auto& one : nlohmann::json::parse(here_.run("tc -s -j qdisc show dev wan")))
                if (one.contains("root") && (one.at("backlog") == 0 || Clock::now() > deadline))
                    return one;
            std::this_thread::sleep_for(std::chrono::milliseconds(50));
        }
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
    const auto drops = here.probe->read()->qdisc_drops;
    if (drops == QdiscDrops::count_as_sent)
        GTEST_SKIP() << "this kernel does not tell what the qdisc drops (from Linux 5.18)";
    if (GetParam().codel && drops != QdiscDrops::taken_back)
        GTEST_SKIP() << "this kernel does not tell what CoDel drops (from Linux 6.14)";
    try {
        for (const auto* command : GetParam().setup) here_.run(std::string("tc ") + command);
    } catch (const std::runtime_error& error) {
        if (std::string(error.what()).find("qdisc kind is unknown") == std::string::npos) throw;
        GTEST_SKIP() << "this kernel has no such queueing discipline";
    }
    const auto sink = udp_sink(there_, 5000);
    switch (GetParam().load) {
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

    const auto sent = settled();
    const auto counted = here.counters("wan");
    EXPECT_GT(sent.at("drops"), GetParam().load == Load::tcp ? 0 : 1'000)
        << "else the test shows nothing";
    RecordProperty("frames",
                   fmt::format("{} {}", counted.transmit_packets, sent["packets"].dump()));
    RecordProperty("bytes", fmt::format("{} {}", counted.transmit_bytes, sent["bytes"].dump()));
    EXPECT_EQ(counted.transmit_packets, sent.at("packets"));
    EXPECT_EQ(counted.transmit_bytes, sent.at("bytes"));
}

}  // namespace
}  // namespace wcs_node_agent
