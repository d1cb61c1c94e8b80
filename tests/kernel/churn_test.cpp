// SPDX-License-Identifier: Apache-2.0
/// Interfaces that come, go, change their names and their namespaces disturb nobody and leave
/// nothing behind.
#include "network.hpp"

#include <atomic>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <malloc.h>
#include <thread>

#include <fmt/format.h>

namespace wcs_node_agent {
namespace {

std::ptrdiff_t open_descriptors() {
    return std::distance(std::filesystem::directory_iterator("/proc/self/fd"), {});
}

class Churn : public TwoHosts, public testing::WithParamInterface<HookKind> {
 protected:
    /// The command once for each of the changing interfaces; {0} is its number.
    static void batch(const NetworkNamespace& where, fmt::string_view command) {
        const auto file = std::filesystem::temp_directory_path() / unique("wna-churn");
        {
            std::ofstream commands(file);
            for (int number = 0; number < changing; ++number)
                commands << fmt::format(fmt::runtime(command), number) << '\n';
        }
        where.run("ip -batch " + file.native());
        std::filesystem::remove(file);
    }

    /// Five changes of each.
    void cycle(Watch& watch) {
        batch(here_, "link add c{0} type veth peer name p{0} netns " + there_.name());
        watch.refresh();
        batch(here_, "link set c{0} name d{0}");
        watch.refresh();
        batch(here_, "link set d{0} netns " + there_.name());
        watch.refresh();
        batch(there_, "link set d{0} netns " + here_.name());
        watch.refresh();
        batch(here_, "link delete d{0}");
        watch.refresh();
    }

    static constexpr int changing = 10;
};

INSTANTIATE_TEST_SUITE_P(EachKind, Churn, testing::Values(HookKind::tcx, HookKind::clsact),
                         [](const auto& row) { return std::string(to_string(row.param)); });

TEST_P(Churn, AThousandChangesLoseNothingAndLeakNothing) {
    // A clsact hook is quick to attach, so that most of the time would go into the commands.
    const int cycles = GetParam() == HookKind::tcx ? 20 : 4;
    constexpr std::uint16_t slots = 2 + changing;  // the unplaced one, wan's, and theirs
    Watch watch(here_, {.hook = GetParam(), .slots = slots});
    Watch there(there_, {.hook = GetParam()});
    cycle(watch);  // what is allocated once
    const auto descriptors = open_descriptors();

    const auto sink = udp_sink(there_, 5000);
    std::atomic<bool> stop = false;
    std::atomic<std::uint64_t> sent = 0;
    std::thread traffic([&] {
        while (!stop) {
            send_udp(here_, "10.77.0.2", 5000, 1'000, 172, 20);
            sent += 1'000;
        }
    });
    std::size_t memory = 0;  // half way, when the allocator's own caches are full
    for (int done = 0; done < cycles; ++done) {
        if (done == cycles / 2) memory = ::mallinfo2().uordblks;
        cycle(watch);
    }
    stop = true;
    traffic.join();
    const auto memory_now = ::mallinfo2().uordblks;  // before a reading allocates its buffer

    EXPECT_EQ(watch.counters("wan").traffic.transmit_packets, sent);
    EXPECT_EQ(watch.counters("wan").traffic.transmit_bytes, sent * (172 + udp_headers));
    EXPECT_EQ(there.counters("peer").traffic.receive_bytes, sent * (172 + udp_headers));
    EXPECT_LE(open_descriptors(), descriptors + 1) << "the sink's";
    EXPECT_LE(memory_now, memory + 16 * 1024) << "40 bytes a change would show";

    batch(here_, "link add e{0} type veth peer name f{0} netns " + there_.name());
    watch.refresh();
    EXPECT_EQ(watch.probe->read()->interfaces.size(), 1u + changing) << "every slot is free again";
}

TEST_P(Churn, WhatComesBackUnderItsOldIndexIsCounted) {
    const auto leave_and_return = [&] {
        here_.run("ip link set wan netns " + there_.name());
        there_.run("ip link set wan netns " + here_.name());
        here_.run("ip address add 10.77.0.1/24 dev wan");
        here_.run("ip link set wan up");
        here_.run("ip neighbour replace 10.77.0.2 lladdr 02:00:00:00:00:02 dev wan nud permanent");
    };
    leave_and_return();  // with an index that is free in both from then on
    Watch watch(here_, {.hook = GetParam()});
    const auto sink = udp_sink(there_, 5000);
    send_udp(here_, "10.77.0.2", 5000, 100, 100, 20);
    ASSERT_EQ(watch.counters("wan").traffic.transmit_packets, 100u);
    const auto index = watch.counters("wan").index;
    leave_and_return();
    watch.refresh();  // sees the same index as before
    ASSERT_EQ(watch.counters("wan").index, index);
    send_udp(here_, "10.77.0.2", 5000, 10, 100, 20);
    // A TCX link stays with its interface wherever that goes, a clsact filter is put back.
    EXPECT_EQ(watch.counters("wan").traffic.transmit_packets, 110u);
}

}  // namespace
}  // namespace wcs_node_agent
