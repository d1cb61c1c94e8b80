// SPDX-License-Identifier: Apache-2.0
#include "process/notify.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <string>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <system_error>
#include <unistd.h>
#include <utility>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

namespace wcs_node_agent {
namespace {

std::string_view environment(const char* name) {
    const char* value =
        std::getenv(name);  // NOLINT(concurrency-mt-unsafe): no other thread reads or sets it
    return value == nullptr ? std::string_view() : value;
}

std::optional<std::uint64_t> number_in_environment(const char* name) {
    const std::string_view text = environment(name);
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    return error == std::errc() && end == text.data() + text.size() ? std::optional(number)
                                                                    : std::nullopt;
}

/// Of a path or, with @ in front, an abstract name; none, if it is neither.
std::optional<NotifyAddress> address_of(std::string_view name) {
    NotifyAddress address;
    address.to.sun_family = AF_UNIX;
    // systemd also knows vsock:, for virtual machines
    if (name.size() >= sizeof(address.to.sun_path) || (name[0] != '/' && name[0] != '@')) {
        return std::nullopt;
    }
    std::ranges::copy(name, address.to.sun_path);
    if (name[0] == '@') {
        address.to.sun_path[0] = '\0';
    }
    // An abstract name ends where the length says: one more byte would be another name.
    address.size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
    return address;
}

/// Descriptors beside a message (SCM_RIGHTS).
class PassedRights {
 public:
    /// Must live until the message is sent.
    void add_to(msghdr& header, const std::vector<Descriptor>& descriptors) {
        const auto size = descriptors.size() * sizeof(int);
        header.msg_control = buffer_.data();
        header.msg_controllen = CMSG_SPACE(size);
        cmsghdr* const rights = CMSG_FIRSTHDR(&header);
        rights->cmsg_level = SOL_SOCKET;
        rights->cmsg_type = SCM_RIGHTS;
        rights->cmsg_len = CMSG_LEN(size);
        unsigned char* at = CMSG_DATA(rights);
        for (const auto& descriptor : descriptors) {
            const int number = descriptor.get();
            std::memcpy(at, &number, sizeof(number));
            at += sizeof(number);
        }
    }

 private:
    alignas(
        cmsghdr) std::array<char, CMSG_SPACE(SystemdNotifier::most_kept * sizeof(int))> buffer_{};
};

void log_failure(int error) {
    spdlog::warn("systemd at $NOTIFY_SOCKET={} cannot be notified: {}",
                 environment("NOTIFY_SOCKET"), std::generic_category().message(error));
}

}  // namespace

SystemdNotifier::SystemdNotifier() {
    const std::string_view name = environment("NOTIFY_SOCKET");
    if (name.empty()) {
        return;
    }
    address_ = address_of(name);
    socket_ = Descriptor(::socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
    if (!address_ || !socket_) {
        log_failure(address_ ? errno : EAFNOSUPPORT);
    }
}

void SystemdNotifier::ready() { tell({"READY=1"}); }

void SystemdNotifier::reloading(Clock::time_point at) {
    const auto since = std::chrono::duration_cast<std::chrono::microseconds>(at.time_since_epoch());
    tell({fmt::format("RELOADING=1\nMONOTONIC_USEC={}", since.count())});
}

void SystemdNotifier::stopping() { tell({"STOPPING=1"}); }

void SystemdNotifier::extend_timeout(std::chrono::microseconds time) {
    tell({fmt::format("EXTEND_TIMEOUT_USEC={}", time.count())});
}

void SystemdNotifier::status(std::string_view text) {
    std::string line(text);
    std::ranges::replace(line, '\n', ' ');  // what follows would be a message of its own
    tell({"STATUS=" + line});
}

void SystemdNotifier::watchdog() {
    if (unsent_.empty()) {
        send({"WATCHDOG=1"});
    }
}

void SystemdNotifier::keep(std::string_view name, std::span<const int> descriptors) {
    tell({fmt::format("FDSTOREREMOVE=1\nFDNAME={}", name)});
    if (descriptors.empty()) return;
    Message message{fmt::format("FDSTORE=1\nFDNAME={}", name)};
    for (const int one : descriptors.first(std::min(descriptors.size(), most_kept))) {
        Descriptor copy(::fcntl(one, F_DUPFD_CLOEXEC, 0));  // it may be sent later
        if (copy) message.descriptors.push_back(std::move(copy));
    }
    if (!message.descriptors.empty()) tell(std::move(message));
}

void SystemdNotifier::retry() {
    while (!unsent_.empty() && send(unsent_.front())) {
        unsent_.pop_front();
    }
}

/// A message that says how the service is: in order, and once more where it could not be sent.
void SystemdNotifier::tell(Message message) {
    constexpr std::size_t most_unsent = 8;
    if (!socket_ || !address_) {
        return;
    }
    if (unsent_.size() == most_unsent) {
        unsent_.pop_front();
    }
    unsent_.push_back(std::move(message));
    retry();
}

/// False: it could not be sent.
bool SystemdNotifier::send(const Message& message) {
    if (!socket_ || !address_) {
        return false;
    }
    iovec text{.iov_base = const_cast<char*>(message.text.data()), .iov_len = message.text.size()};
    // Not connected: where a new systemd binds the name anew, the next message goes there.
    msghdr header{};
    header.msg_name = &address_->to;
    header.msg_namelen = address_->size;
    header.msg_iov = &text;
    header.msg_iovlen = 1;
    PassedRights rights;
    if (!message.descriptors.empty()) {
        rights.add_to(header, message.descriptors);
    }
    const bool sent = ::sendmsg(socket_.get(), &header, MSG_NOSIGNAL | MSG_DONTWAIT) >= 0;
    if (!sent && !failing_) {
        log_failure(errno);
    }
    if (sent && failing_) {
        spdlog::info("systemd is notified again");
    }
    failing_ = !sent;
    return sent;
}

std::optional<std::chrono::nanoseconds> watchdog_interval() {
    const auto microseconds = number_in_environment("WATCHDOG_USEC");
    const auto pid = number_in_environment("WATCHDOG_PID");
    const bool for_another = pid && *pid != static_cast<std::uint64_t>(::getpid());
    constexpr std::uint64_t a_year = 365ULL * 24 * 3600 * 1'000'000;
    if (!microseconds || *microseconds == 0 || *microseconds > a_year || for_another) {
        return std::nullopt;
    }
    return std::chrono::microseconds(*microseconds);
}

}  // namespace wcs_node_agent
