// SPDX-License-Identifier: Apache-2.0
#include "daemon/privileges.hpp"

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <linux/capability.h>
#include <map>
#include <string>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <gtest/gtest.h>

namespace wcs_node_agent {
namespace {

/// The capability sets of this process as the kernel tells them: CapEff, CapPrm ...
std::map<std::string, std::uint64_t> capability_sets() {
    std::map<std::string, std::uint64_t> sets;
    std::ifstream status("/proc/self/status");
    for (std::string line; std::getline(status, line);) {
        if (line.starts_with("Cap")) {
            sets[line.substr(0, 6)] = std::stoull(line.substr(7), nullptr, 16);
        }
    }
    return sets;
}

/// Drops in a child, as it cannot be undone, and returns what the child's check ends with.
template <class Check>
int in_child(KeptPrivilege kept, Check check) {
    const pid_t child = ::fork();
    if (child == 0) {
        const auto dropped = drop_privileges(kept);
        if (!dropped) {
            std::fprintf(stderr, "%s\n", dropped.error().what.c_str());
            ::_exit(100);
        }
        ::_exit(check());
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(Privileges, NothingIsLeft) {
    const bool could_lower_bounds = has_capability(CAP_SETPCAP);
    EXPECT_EQ(in_child(KeptPrivilege::none,
                       [could_lower_bounds] {
                           auto sets = capability_sets();
                           if (sets["CapEff"] != 0) return 1;
                           if (sets["CapPrm"] != 0) return 2;
                           if (sets["CapInh"] != 0) return 3;
                           if (sets["CapAmb"] != 0) return 4;
                           if (could_lower_bounds && sets["CapBnd"] != 0) return 5;
                           if (::prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1) return 6;
                           if (has_capability(CAP_NET_ADMIN)) return 7;
                           return 0;
                       }),
              0);
}

TEST(Privileges, NetAdminAloneIsKept) {
    if (!has_capability(CAP_NET_ADMIN)) {
        GTEST_SKIP() << "needs CAP_NET_ADMIN, to keep it";
    }
    EXPECT_EQ(in_child(KeptPrivilege::net_admin,
                       [] {
                           auto sets = capability_sets();
                           const std::uint64_t net_admin = 1ULL << CAP_NET_ADMIN;
                           if (sets["CapEff"] != net_admin) return 1;
                           if (sets["CapPrm"] != net_admin) return 2;
                           if (sets["CapInh"] != 0) return 3;
                           if (sets["CapAmb"] != 0) return 4;
                           if (!has_capability(CAP_NET_ADMIN)) return 5;
                           if (has_capability(CAP_SYS_ADMIN)) return 6;
                           return 0;
                       }),
              0);
}

TEST(Privileges, DroppingTwiceIsFine) {
    EXPECT_EQ(
        in_child(KeptPrivilege::none, [] { return drop_privileges(KeptPrivilege::none) ? 0 : 1; }),
        0);
}

TEST(Privileges, HasCapabilityTellsWhatTheKernelTells) {
    const std::uint64_t effective = capability_sets().at("CapEff");
    for (const int capability : {CAP_NET_ADMIN, CAP_SYS_ADMIN, CAP_BPF, CAP_PERFMON}) {
        EXPECT_EQ(has_capability(capability), (effective >> capability & 1) == 1) << capability;
    }
}

}  // namespace
}  // namespace wcs_node_agent
