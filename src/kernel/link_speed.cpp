// SPDX-License-Identifier: Apache-2.0
#include "kernel/link_speed.hpp"

#include <wcs_node_agent/descriptor.hpp>

#include <array>
#include <cstddef>
#include <cstring>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

namespace wcs_node_agent {

namespace {

struct Answer {
    int words;  // of each of the three bitmaps of link modes; negative: so many are needed
    std::uint32_t speed;  // where there was room for them
};

/// Asks with room for so many words of each bitmap.
std::optional<Answer> ask(int socket, const std::string& interface, int words) {
    constexpr std::size_t most_words = 127;  // the number is a signed byte
    ethtool_link_settings settings{};
    settings.cmd = ETHTOOL_GLINKSETTINGS;
    settings.link_mode_masks_nwords = static_cast<std::int8_t>(words);
    std::array<std::byte, sizeof(settings) + 3 * most_words * sizeof(std::uint32_t)> buffer{};
    std::memcpy(buffer.data(), &settings, sizeof(settings));
    ifreq request{};
    interface.copy(request.ifr_name, sizeof(request.ifr_name) - 1);
    request.ifr_data = reinterpret_cast<char*>(buffer.data());
    if (::ioctl(socket, SIOCETHTOOL, &request) != 0) return std::nullopt;
    std::memcpy(&settings, buffer.data(), sizeof(settings));
    return Answer{.words = settings.link_mode_masks_nwords, .speed = settings.speed};
}

}  // namespace

std::optional<std::uint32_t> link_speed(const std::string& interface) {
    const Descriptor socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    if (!socket) return std::nullopt;
    // Asked with no room the kernel says how much it needs and nothing else.
    const auto size = ask(socket.get(), interface, 0);
    if (!size || size->words >= 0) return std::nullopt;
    const auto answer = ask(socket.get(), interface, -size->words);
    // 0 is what some drivers say for SPEED_UNKNOWN.
    if (!answer || answer->speed == 0 || answer->speed == static_cast<std::uint32_t>(SPEED_UNKNOWN))
        return std::nullopt;
    return answer->speed;
}

}  // namespace wcs_node_agent
