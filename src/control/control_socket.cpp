// SPDX-License-Identifier: Apache-2.0
#include "control/control_socket.hpp"

#include "process/accounts.hpp"

#include <wcs_node_agent/descriptor.hpp>

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <spdlog/spdlog.h>

namespace wcs_node_agent {

namespace {

/// Nobody accepts there: connect(2) refuses where no process holds the socket.
bool is_abandoned(const std::string& path) {
    const Descriptor socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path.copy(address.sun_path, sizeof(address.sun_path) - 1);
    const auto* const at = reinterpret_cast<const sockaddr*>(&address);
    return socket && ::connect(socket.get(), at, sizeof(address)) != 0 && errno == ECONNREFUSED;
}

bool is_socket(const std::string& path) {
    struct stat found {};
    return ::lstat(path.c_str(), &found) == 0 && S_ISSOCK(found.st_mode);
}

Result<void> listen_on(LocalListener& listener, const std::string& path) {
    auto error = listener.open(path);
    if (error == boost::system::errc::address_in_use) {
        if (!is_socket(path)) return Error{path + ": there is something that is no socket"};
        if (!is_abandoned(path)) return Error{path + ": another agent listens there"};
        ::unlink(path.c_str());
        error = listener.open(path);
    }
    if (error) return failure(path, error);
    return {};
}

/// bind(2) makes it for its owner alone, whatever the umask leaves to read; 0660 comes last. The
/// group is changed before others may use it, which its owner may do to a group of its own.
void admit_group(const std::string& path, const std::string& name) {
    if (!name.empty()) {
        const auto group = find_group(name);
        if (!group)
            spdlog::warn("control.group: /etc/group has no group {}: {} is for root", name, path);
        else if (::chown(path.c_str(), static_cast<uid_t>(-1), *group) != 0)
            spdlog::warn(
                "control.group: {} cannot be given to group {} ({}): under systemd "
                "SupplementaryGroups={} lets the service do it",
                path, name, std::strerror(errno), name);
    }
    if (::chmod(path.c_str(), 0660) != 0) spdlog::warn("{}: chmod: {}", path, std::strerror(errno));
}

}  // namespace

Result<void> open_control_socket(LocalListener& listener, const ControlSettings& settings) {
    const auto& path = settings.socket;
    const auto folder = std::filesystem::path(path).parent_path();
    if (::mkdir(folder.c_str(), 0755) == 0) ::chmod(folder.c_str(), 0755);
    // Of two agents that start at once, one finds out who listens after the other has bound.
    const Descriptor locked(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (!locked) return failure(folder.native(), errno);
    ::flock(locked.get(), LOCK_EX);
    if (auto listening = listen_on(listener, path); !listening) return listening;
    admit_group(path, settings.group);
    return {};
}

void remove_control_socket(const std::string& path) { ::unlink(path.c_str()); }

}  // namespace wcs_node_agent
