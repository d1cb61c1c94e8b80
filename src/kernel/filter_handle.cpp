// SPDX-License-Identifier: Apache-2.0
#include "kernel/filter_handle.hpp"

#include <algorithm>
#include <cstddef>
#include <random>
#include <string>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

namespace wcs_node_agent {

namespace {

constexpr std::uint32_t first_handle = 0x77636e61;
constexpr std::uint32_t claimable = 16;

/// Set in handles that are not claimed. Those that the kernel gives count up from 1.
constexpr std::uint32_t unclaimed = 0x80000000;

/// The claim to a number: an abstract socket, which belongs to the network namespace and ends with
/// its holder. None: somebody else has it, whoever that is, since any user may bind such a name.
Descriptor claim_number(std::uint32_t number) {
    Descriptor holder(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const auto name = fmt::format("wcs-node-agent.hook.{}", number);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::ranges::copy(name, address.sun_path + 1);
    const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + 1 + name.size());
    if (::bind(holder.get(), reinterpret_cast<const sockaddr*>(&address), length) != 0)
        return Descriptor();
    return holder;
}

}  // namespace

FilterHandle FilterHandle::claim() {
    for (std::uint32_t number = 0; number < claimable; ++number)
        if (auto holder = claim_number(number))
            return FilterHandle(first_handle + number, std::move(holder));
    spdlog::warn(
        "{} agents hold their filters in this network namespace, or somebody else holds the "
        "sockets @wcs-node-agent.hook.*: what this process leaves if it is killed will stay on the "
        "interfaces",
        claimable);
    return FilterHandle(std::random_device()() | unclaimed, Descriptor());
}

FilterHandle FilterHandle::of(const PinFolder& folder) {
    struct stat status {};
    ::stat(folder.path().c_str(), &status);
    const std::uint64_t mixed = (status.st_ino ^ (status.st_dev << 32U)) * 0x9e3779b97f4a7c15;
    return FilterHandle(static_cast<std::uint32_t>(mixed >> 32U) | unclaimed, Descriptor());
}

bool FilterHandle::is_left_over(std::uint32_t handle) {
    return handle - first_handle < claimable &&
           static_cast<bool>(claim_number(handle - first_handle));
}

}  // namespace wcs_node_agent
