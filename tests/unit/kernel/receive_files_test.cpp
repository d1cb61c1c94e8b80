// SPDX-License-Identifier: Apache-2.0
#include "kernel/receive_files.hpp"

#include "temporary_folder.hpp"

#include <filesystem>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace wcs_node_agent {
namespace {

using namespace std::chrono_literals;

const std::string snmp =
    "Tcp: ActiveOpens RcvbufErrors\nTcp: 9 9\n"
    "Udp: InDatagrams NoPorts InErrors OutDatagrams RcvbufErrors SndbufErrors\n"
    "Udp: 5000 7 12 300 10 0\n"
    "UdpLite: InDatagrams NoPorts InErrors OutDatagrams RcvbufErrors SndbufErrors\n"
    "UdpLite: 1 1 1 1 1 1\n";
const std::string snmp6 =
    "Ip6InReceives                   \t44\n"
    "Udp6InDatagrams                 \t600\n"
    "Udp6RcvbufErrors                \t4\n"
    "UdpLite6RcvbufErrors            \t99\n";

TEST(ReceiveFiles, CountersOfUdp) {
    EXPECT_EQ(parse_snmp(snmp), (UdpCounters{5000, 10}));
    EXPECT_EQ(parse_snmp("Udp: RcvbufErrors New InDatagrams\nUdp: 1 2 3\n"), (UdpCounters{3, 1}))
        << "columns go by their names";
    for (const char* broken :
         {"", "Udp: InDatagrams RcvbufErrors\n", "Udp: InDatagrams\nUdp: 1\n",
          "Udp: InDatagrams RcvbufErrors\nUdp: 1\n", "Udp: InDatagrams RcvbufErrors\nUdp: 1 x\n",
          "Udp: InDatagrams RcvbufErrors\nTcp: 1 2\n"})
        EXPECT_EQ(parse_snmp(broken), std::nullopt) << broken;

    EXPECT_EQ(parse_snmp6(snmp6), (UdpCounters{600, 4}));
    for (const char* broken : {"", "Udp6InDatagrams 1\n", "Udp6RcvbufErrors 1\n",
                               "Udp6InDatagrams 1\nUdp6RcvbufErrors -\n"})
        EXPECT_EQ(parse_snmp6(broken), std::nullopt) << broken;
}

/// A line of a CPU as Linux 5.10 and newer write it.
std::string softnet(unsigned dropped, unsigned squeezed, unsigned cpu) {
    char line[128];
    std::snprintf(line, sizeof(line), "00001000 %08x %08x 0 0 0 0 0 0 0 0 0 %08x\n", dropped,
                  squeezed, cpu);
    return line;
}

TEST(SoftnetTotals, AreOfAllCpusThatEverWere) {
    struct Row {
        const char* shows;
        std::vector<std::string> readings;
        std::optional<SoftnetCounters> total;
    };
    const std::vector<Row> rows{
        {"CPUs are added up", {softnet(1, 2, 0) + softnet(0x10, 0, 1)}, {{17, 2}}},
        {"a CPU that goes offline keeps its part",
         {softnet(1, 1, 0) + softnet(5, 5, 1), softnet(2, 1, 0)},
         {{7, 6}}},
        {"and goes on when it is back",
         {softnet(1, 1, 0) + softnet(5, 5, 1), softnet(1, 1, 0),
          softnet(1, 1, 0) + softnet(6, 5, 1)},
         {{7, 6}}},
        {"numbers of CPUs have gaps", {softnet(1, 0, 0) + softnet(2, 0, 7)}, {{3, 0}}},
        {"counters of 32 bits wrap",
         {softnet(0xffffffff, 0, 0), softnet(4, 0, 0)},
         {{0x100000004, 0}}},
        {"before 5.10 lines have no number", {"1 2 3 0\n1 4 5 0\n"}, {{6, 8}}},
        {"no line", {""}, {}},
        {"another file", {"cpu  1 2\n"}, {}},
        {"too few columns", {"1 2\n"}, {}},
    };
    for (const auto& row : rows) {
        SCOPED_TRACE(row.shows);
        SoftnetTotals totals;
        std::optional<SoftnetCounters> last;
        for (const auto& reading : row.readings) last = totals.update(reading);
        EXPECT_EQ(last, row.total);
    }
}

TEST(ReceiveFiles, AreReadOnceASecond) {
    const test::TemporaryFolder folder;
    folder.write("snmp", snmp);
    folder.write("snmp6", snmp6);
    folder.write("softnet_stat", softnet(1, 2, 0));
    ReceiveFiles files(folder.path());
    const Clock::time_point start(1000s);
    EXPECT_EQ(files.read(start).udp, (UdpCounters{5600, 14}));
    EXPECT_EQ(files.read(start).softnet, (SoftnetCounters{1, 2}));
    folder.write("softnet_stat", softnet(3, 2, 0));
    EXPECT_EQ(files.read(start + 750ms).softnet, (SoftnetCounters{1, 2}));
    EXPECT_EQ(files.read(start + 1s).softnet, (SoftnetCounters{3, 2}));
    EXPECT_EQ(files.read_at(), start + 1s);
}

TEST(ReceiveFiles, EachTakesAwayItsOwnFiguresOnly) {
    const test::TemporaryFolder folder;
    const Clock::time_point start(1000s);
    {
        ReceiveFiles none(folder.path());
        EXPECT_FALSE(none.read(start).udp);
        EXPECT_NE(none.read(start).udp_unknown.find("snmp: No such file"), std::string::npos);
        EXPECT_FALSE(none.read(start).softnet);
    }
    folder.write("snmp", snmp);
    ReceiveFiles files(folder.path());
    EXPECT_EQ(files.read(start).udp, (UdpCounters{5000, 10})) << "a kernel without IPv6";
    EXPECT_EQ(files.read(start).udp_unknown, "");
    EXPECT_FALSE(files.read(start).softnet);

    folder.write("snmp6", "Udp6InDatagrams 1\n");
    folder.write("softnet_stat", softnet(1, 2, 0));
    EXPECT_FALSE(files.read(start + 1s).udp);
    EXPECT_EQ(files.read(start + 1s).udp_unknown,
              (folder.path() / "snmp6").native() + ": lacks a counter of UDP");
    EXPECT_TRUE(files.read(start + 1s).softnet);
}

TEST(ReceiveFiles, OfTheRunningKernel) {
    ReceiveFiles files;
    EXPECT_TRUE(files.read(Clock::now()).udp) << files.read(Clock::now()).udp_unknown;
    EXPECT_TRUE(files.read(Clock::now()).softnet);
}

}  // namespace
}  // namespace wcs_node_agent
