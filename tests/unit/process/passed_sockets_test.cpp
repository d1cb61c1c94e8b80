// SPDX-License-Identifier: Apache-2.0
#include "process/passed_sockets.hpp"

#include <cstdlib>
#include <fcntl.h>
#include <functional>
#include <string>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/udp.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <gtest/gtest.h>

namespace wcs_node_agent {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using Names = std::vector<std::string>;

TEST(PassedNames, AreWhatSystemdsVariablesSay) {
    struct Row {
        const char* shows;
        PassedVariables variables;
        Names names;
        const char* error = "";
    };
    const Row rows[] = {
        {"nothing is passed", {"", "", ""}, {}},
        {"a name each", {"7", "2", "agent_listen:kept-port"}, {"agent_listen", "kept-port"}},
        {"a profile's", {"7", "1", "profiles.hls.agent_listen"}, {"profiles.hls.agent_listen"}},
        {"an empty name", {"7", "2", ":b"}, {"", "b"}},
        {"a systemd before 227 has no names", {"7", "2", ""}, {"unknown", "unknown"}},
        {"for the process that started this one", {"8", "2", "a:b"}, {}},
        {"none", {"7", "0", ""}, {}},
        {"no count", {"7", "", "a"}, {}},
        {"no process", {"", "1", "a"}, {}},
        {"fewer names", {"7", "2", "a"}, {}, "has 1 names for 2 descriptors"},
        {"more names", {"7", "1", "a:b"}, {}, "has 2 names for 1 descriptors"},
        {"no number", {"7", "two", ""}, {}, "$LISTEN_FDS=two: not as systemd sets them"},
        {"a rest", {"7", "2x", ""}, {}, "not as systemd sets them"},
        {"less than none", {"7", "-1", ""}, {}, "not as systemd sets them"},
        {"more than can be", {"7", "99999999", ""}, {}, "not as systemd sets them"},
        {"too large a number", {"7", "99999999999", ""}, {}, "not as systemd sets them"},
        {"no process number", {"x", "1", ""}, {}, "$LISTEN_PID=x"},
    };
    for (const auto& row : rows) {
        const auto names = passed_names(row.variables, 7);
        EXPECT_EQ(names.has_value(), row.error[0] == '\0') << row.shows;
        if (names)
            EXPECT_EQ(*names, row.names) << row.shows;
        else
            EXPECT_NE(names.error().what.find(row.error), std::string::npos)
                << row.shows << ": " << names.error().what;
    }
}

/// Its exit status in a process of its own, which may do with descriptors what it likes.
int in_a_child(const std::function<int()>& body) {
    const pid_t child = ::fork();
    if (child == 0) ::_exit(body());
    int status = -1;
    ::waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(PassedDescriptors, AreTakenFromTheThirdOnAndNotHandedOn) {
    EXPECT_EQ(in_a_child([] {
                  ::close(4);  // it says two, and one is there
                  if (::dup2(STDERR_FILENO, 3) != 3) return 1;
                  ::setenv("LISTEN_PID", std::to_string(::getpid()).c_str(), 1);
                  ::setenv("LISTEN_FDS", "2", 1);
                  ::setenv("LISTEN_FDNAMES", "agent_listen:metrics_listen", 1);
                  const auto passed = take_passed_descriptors();
                  if (!passed || passed->size() != 1) return 2;
                  const auto& one = passed->front();
                  if (one.descriptor.get() != 3 || one.name != "agent_listen") return 3;
                  return ::fcntl(3, F_GETFD) == FD_CLOEXEC ? 0 : 4;
              }),
              0);
}

TEST(InspectListener, SaysWhereItListensOrWhatItIs) {
    asio::io_context context;
    const auto listening = [&](const tcp::endpoint& at, bool v6_only) {
        tcp::acceptor acceptor(context, at.protocol());
        if (at.address().is_v6()) acceptor.set_option(asio::ip::v6_only(v6_only));
        acceptor.bind(at);
        acceptor.listen();
        return acceptor;
    };
    struct Row {
        const char* shows;
        tcp::endpoint at;
        bool v6_only;
        bool both;
    };
    const Row rows[] = {
        {"IPv4", {asio::ip::address_v4::loopback(), 0}, false, false},
        {"any of IPv4", {asio::ip::address_v4::any(), 0}, false, false},
        {"any of IPv6", {asio::ip::address_v6::any(), 0}, true, false},
        {"any of both", {asio::ip::address_v6::any(), 0}, false, true},
        {"one of IPv6", {asio::ip::address_v6::loopback(), 0}, false, false},
    };
    for (const auto& row : rows) {
        auto acceptor = listening(row.at, row.v6_only);
        const auto found = inspect_listener(acceptor.native_handle());
        ASSERT_TRUE(found) << row.shows << ": " << found.error().what;
        EXPECT_EQ(found->at, acceptor.local_endpoint()) << row.shows;
        EXPECT_EQ(found->takes_both_families, row.both) << row.shows;
    }

    const auto refusal = [](int descriptor) {
        const auto found = inspect_listener(descriptor);
        return found ? "a listener" : found.error().what;
    };
    tcp::socket bound(context, {asio::ip::address_v4::loopback(), 0});
    EXPECT_EQ(refusal(bound.native_handle()), "does not listen");
    asio::ip::udp::socket udp(context, {asio::ip::address_v4::loopback(), 0});
    EXPECT_EQ(refusal(udp.native_handle()), "is a socket of another kind than TCP's");
    const Descriptor local(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    EXPECT_EQ(refusal(local.get()), "is a socket of another kind than TCP's");
    const Descriptor file(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    EXPECT_EQ(refusal(file.get()), "is no socket");
}

}  // namespace
}  // namespace wcs_node_agent
