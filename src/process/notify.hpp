// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <wcs_node_agent/clock.hpp>
#include <wcs_node_agent/descriptor.hpp>

#include <chrono>
#include <deque>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <sys/un.h>
#include <vector>

namespace wcs_node_agent {

/// Where the service manager listens.
struct NotifyAddress {
    sockaddr_un to{};
    socklen_t size = 0;  // bytes of it
};

/// Notifies systemd (sd_notify(3)): one datagram a message to the socket that $NOTIFY_SOCKET names.
/// Without that variable nothing is sent. A message that cannot be sent is logged once.
class SystemdNotifier {
 public:
    /// Opens the socket, so that later messages need no privilege.
    SystemdNotifier();

    void ready();                          // also ends reloading
    void reloading(Clock::time_point at);  // since when
    void stopping();
    void extend_timeout(std::chrono::microseconds time);  // of the start, the reload or the stop
    void status(std::string_view text);                   // one line for `systemctl status`
    void watchdog();                                      // still alive

    /// Has systemd keep these descriptors, and no others of the name: the next start gets them
    /// (FDSTORE=1), where the unit has room for them (FileDescriptorStoreMax=). No more than
    /// `most_kept`.
    void keep(std::string_view name, std::span<const int> descriptors);

    static constexpr std::size_t most_kept = 128;

    /// Sends what could not be sent before, but for watchdog(), in its order: systemd reads slowly
    /// where it has many services to start. A service whose READY=1 is lost would be ended.
    void retry();

 private:
    struct Message {
        std::string text;
        std::vector<Descriptor> descriptors = {};
    };

    void tell(Message message);
    bool send(const Message& message);

    std::optional<NotifyAddress> address_;
    Descriptor socket_;
    std::deque<Message> unsent_;
    bool failing_ = false;
};

/// systemd's timeout from one watchdog() to the next; to be sent twice as often. None if it does
/// not watch this process.
std::optional<std::chrono::nanoseconds> watchdog_interval();

}  // namespace wcs_node_agent
