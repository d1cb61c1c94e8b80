// SPDX-License-Identifier: Apache-2.0
#include "process/port_holder.hpp"

#include <string>
#include <unistd.h>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

namespace wcs_node_agent {
namespace {

namespace ip = boost::asio::ip;
using ip::tcp;

tcp::endpoint at(const char* address, ip::port_type port) {
    return {ip::make_address(address), port};
}

constexpr const char* header =
    "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout "
    "inode\n";

TEST(ListeningSockets, AreThoseOfTheTable) {
    struct Row {
        const char* shows;
        std::string lines;
        std::vector<ListeningSocket> sockets;
    };
    const Row rows[] = {
        {"IPv4, bytes in the machine's order",
         "   0: 0100007F:25EB 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        "
         "0 4711 1 0000000000000000 100 0 0 10 0\n",
         {{at("127.0.0.1", 9707), 4711}}},
        {"IPv6",
         "   0: B80D01200000000000000000010000000:25EC 0:0 0A 0:0 00:0 0 0 0 7\n"
         "   1: B80D0120000000000000000001000000:25EC 00000000000000000000000000000000:0000 0A "
         "00000000:00000000 00:00000000 00000000     0        0 4712 1 0000000000000000 100 0\n",
         {{at("2001:db8::1", 9708), 4712}}},
        {"a connection does not listen",
         "   0: 0100007F:25EB 0100007F:9C40 01 00000000:00000000 00:00000000 00000000     0        "
         "0 4711 1 0000000000000000 20 4 30 10 -1\n",
         {}},
        {"a line that is cut off", "   0: 0100007F:25EB 00000000:0000 0A 00000000:00000000\n", {}},
        {"no table", "nothing\n\n", {}},
    };
    for (const auto& row : rows)
        EXPECT_EQ(parse_listening(header + row.lines), row.sockets) << row.shows;
}

TEST(ListeningSockets, Overlap) {
    struct Row {
        tcp::endpoint one;
        tcp::endpoint other;
        bool overlap;
    };
    const Row rows[] = {
        {at("127.0.0.1", 1), at("127.0.0.1", 1), true},
        {at("127.0.0.1", 1), at("127.0.0.1", 2), false},
        {at("127.0.0.1", 1), at("127.0.0.2", 1), false},
        {at("0.0.0.0", 1), at("127.0.0.2", 1), true},
        {at("::", 1), at("127.0.0.2", 1), true},
        {at("::", 1), at("::1", 1), true},
        {at("0.0.0.0", 1), at("::1", 1), false},
        {at("0.0.0.0", 1), at("::", 1), true},
    };
    for (const auto& row : rows) {
        EXPECT_EQ(overlap(row.one, row.other), row.overlap) << row.one << ' ' << row.other;
        EXPECT_EQ(overlap(row.other, row.one), row.overlap) << row.other << ' ' << row.one;
    }
}

TEST(PortHolder, IsTheProgramThatListens) {
    boost::asio::io_context io;
    tcp::acceptor acceptor(io, at("127.0.0.1", 0));
    const auto port = acceptor.local_endpoint();
    const auto holder = find_port_holder(port);
    ASSERT_TRUE(holder);
    EXPECT_EQ(holder->pid, ::getpid());
    EXPECT_EQ(holder->program, "unit_process");
    acceptor.close();
    EXPECT_FALSE(find_port_holder(port));
}

TEST(PortHolder, ListensAtWhatOverlapsWhateverElseHoldsIt) {
    boost::asio::io_context io;
    const tcp::acceptor acceptor(io, at("127.0.0.1", 0));
    const auto port = acceptor.local_endpoint();
    const auto wide = at("0.0.0.0", port.port());
    EXPECT_EQ(listens_at(::getpid(), port), std::vector{port});
    EXPECT_EQ(listens_at(::getpid(), wide), std::vector{port});
    EXPECT_TRUE(listens_at(::getpid(), at("127.0.0.2", port.port())).empty());
    EXPECT_TRUE(listens_at(::getppid(), port).empty());
}

}  // namespace
}  // namespace wcs_node_agent
