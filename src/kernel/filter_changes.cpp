// SPDX-License-Identifier: Apache-2.0
#include "kernel/filter_changes.hpp"

#include <array>
#include <bit>
#include <cerrno>
#include <cstddef>
#include <cstdint>
#include <linux/filter.h>
#include <linux/pkt_sched.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <netlink/errno.h>
#include <netlink/socket.h>

namespace wcs_node_agent {

namespace {

/// Types of messages are below 256.
constexpr std::uint32_t type_at =
    offsetof(nlmsghdr, nlmsg_type) + (std::endian::native == std::endian::little ? 0 : 1);
constexpr std::uint32_t port_at = offsetof(nlmsghdr, nlmsg_pid);
constexpr std::uint32_t handle_at = NLMSG_HDRLEN + offsetof(tcmsg, tcm_handle);
constexpr std::uint32_t parent_at = NLMSG_HDRLEN + offsetof(tcmsg, tcm_parent);

/// Numbers of the program's instructions.
enum Label : std::uint8_t { qdisc = 8, filter = 10, maker = 16, ignore = 18, report = 19 };

constexpr sock_filter load(std::uint16_t size, std::uint32_t at) {
    return BPF_STMT(static_cast<std::uint16_t>(BPF_LD | size | BPF_ABS), at);
}

/// The instruction of that number: where to go on if the comparison holds, and where if not.
constexpr sock_filter jump(std::uint8_t number, std::uint16_t comparison, std::uint32_t value,
                           std::uint8_t then, std::uint8_t otherwise) {
    return BPF_JUMP(static_cast<std::uint16_t>(BPF_JMP | comparison | BPF_K), value,
                    static_cast<std::uint8_t>(then - number - 1),
                    static_cast<std::uint8_t>(otherwise - number - 1));
}

}  // namespace

int follow_filters(nl_sock* socket, const OwnFilters& filters) {
    const std::uint32_t major_of_clsact = htonl(TC_H_MAJ(TC_H_CLSACT));
    // Words are loaded as the network orders them, so they are compared in that order.
    std::array<sock_filter, 20> code{{
        load(BPF_B, type_at),
        jump(1, BPF_JEQ, RTM_DELQDISC, qdisc, 2),
        jump(2, BPF_JEQ, RTM_DELTFILTER, filter, 3),
        jump(3, BPF_JEQ, RTM_NEWTFILTER, filter, 4),
        jump(4, BPF_JGE, RTM_NEWQDISC, 5, report),   // before: links, routes, rules
        jump(5, BPF_JGT, RTM_GETACTION, 6, ignore),  // up to it: the rest of traffic control
        jump(6, BPF_JGE, RTM_NEWCHAIN, 7, report),
        jump(7, BPF_JGT, RTM_GETCHAIN, report, ignore),  // after: nexthop objects
        /* qdisc: */ load(BPF_W, parent_at),
        jump(9, BPF_JEQ, htonl(TC_H_CLSACT), maker, ignore),
        /* filter: */ load(BPF_W, handle_at),
        jump(11, BPF_JEQ, htonl(filters.handle), maker, 12),
        jump(12, BPF_JEQ, 0, 13, ignore),  // a whole priority
        load(BPF_W, parent_at),
        BPF_STMT(BPF_ALU | BPF_AND | BPF_K, major_of_clsact),
        jump(15, BPF_JEQ, major_of_clsact, maker, ignore),
        /* maker: */ load(BPF_W, port_at),
        jump(17, BPF_JEQ, htonl(filters.port), ignore, report),
        /* ignore: */ BPF_STMT(BPF_RET | BPF_K, 0),
        /* report: */ BPF_STMT(BPF_RET | BPF_K, 0xffffffff),
    }};
    const sock_fprog program{static_cast<unsigned short>(code.size()), code.data()};
    if (::setsockopt(nl_socket_get_fd(socket), SOL_SOCKET, SO_ATTACH_FILTER, &program,
                     sizeof(program)) != 0)
        return -nl_syserr2nlerr(errno);
    return nl_socket_add_membership(socket, RTNLGRP_TC);
}

}  // namespace wcs_node_agent
