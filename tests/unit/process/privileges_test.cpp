// SPDX-License-Identifier: Apache-2.0
#include "process/privileges.hpp"

#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <linux/bpf.h>
#include <linux/capability.h>
#include <map>
#include <optional>
#include <string>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <gtest/gtest.h>

namespace wcs_node_agent {
namespace {

/// The capability sets of this process as the kernel reports them: CapEff, CapPrm ...
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
int in_child(KeptPrivilege kept, Check check, const std::optional<User>& user = {}) {
    const pid_t child = ::fork();
    if (child == 0) {
        const auto dropped = drop_privileges(kept, user);
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

TEST(Privileges, RootBecomesTheUserWithNoOtherGroup) {
    if (::geteuid() != 0) {
        GTEST_SKIP() << "needs root, to become another";
    }
    for (const auto kept : {KeptPrivilege::none, KeptPrivilege::net_admin}) {
        EXPECT_EQ(in_child(
                      kept,
                      [kept] {
                          uid_t real = 0, effective = 0, saved = 0;
                          ::getresuid(&real, &effective, &saved);
                          if (real != 4242 || effective != 4242 || saved != 4242) return 1;
                          if (::getegid() != 4343 || ::getgroups(0, nullptr) != 0) return 2;
                          const auto left = kept == KeptPrivilege::none ? 0 : 1ULL << CAP_NET_ADMIN;
                          auto sets = capability_sets();
                          if (sets["CapEff"] != left || sets["CapPrm"] != left) return 3;
                          if (sets["CapBnd"] != 0) return 4;
                          return ::setuid(0) == 0 ? 5 : 0;
                      },
                      User{4242, 4343, "somebody"}),
                  0);
    }
}

TEST(Privileges, LoadingAnotherProgramIsRefused) {
    if (!has_capability(CAP_BPF)) {
        GTEST_SKIP() << "needs CAP_BPF, to see it go";
    }
    const auto load = [] {
        const std::array program{
            bpf_insn{.code = BPF_ALU64 | BPF_MOV | BPF_K,
                     .dst_reg = BPF_REG_0,
                     .src_reg = 0,
                     .off = 0,
                     .imm = 0},
            bpf_insn{.code = BPF_JMP | BPF_EXIT, .dst_reg = 0, .src_reg = 0, .off = 0, .imm = 0}};
        const int loaded = bpf_prog_load(BPF_PROG_TYPE_SCHED_CLS, "any", "GPL", program.data(),
                                         program.size(), nullptr);
        // Some kernels' verifier says EINVAL where CAP_PERFMON lacks.
        return loaded >= 0 ? 0 : errno == EPERM || errno == EINVAL ? 1 : 2;
    };
    EXPECT_EQ(load(), 0) << "it could before";
    EXPECT_EQ(in_child(KeptPrivilege::none, load), 1);
    EXPECT_EQ(in_child(KeptPrivilege::net_admin, load), 1);
}

TEST(ChosenUser, IsTheAccountNamedOrANumberThatNobodyHas) {
    if (::geteuid() != 0) {
        GTEST_SKIP() << "whoever is not root stays who it is";
    }
    const auto daemon = chosen_user("daemon");
    ASSERT_TRUE(daemon && *daemon);
    EXPECT_NE((*daemon)->uid, 0U);
    EXPECT_EQ((*daemon)->name, "daemon");
    EXPECT_FALSE(*chosen_user("root")) << "it stays root";
    const auto unnamed = chosen_user("");
    ASSERT_TRUE(unnamed && *unnamed);
    EXPECT_NE((*unnamed)->uid, 0U);
    const auto missing = chosen_user("nobody-of-this-name");
    ASSERT_FALSE(missing);
    EXPECT_EQ(missing.error().what, "/etc/passwd has no account \"nobody-of-this-name\"");
}

TEST(Privileges, DroppingTwiceIsFine) {
    EXPECT_EQ(
        in_child(KeptPrivilege::none, [] { return drop_privileges(KeptPrivilege::none) ? 0 : 1; }),
        0);
}

TEST(Privileges, HasCapabilityIsWhatTheKernelReports) {
    const std::uint64_t effective = capability_sets().at("CapEff");
    for (const int capability : {CAP_NET_ADMIN, CAP_SYS_ADMIN, CAP_BPF, CAP_PERFMON}) {
        EXPECT_EQ(has_capability(capability), (effective >> capability & 1) == 1) << capability;
    }
}

}  // namespace
}  // namespace wcs_node_agent
