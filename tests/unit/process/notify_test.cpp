// SPDX-License-Identifier: Apache-2.0
#include "process/notify.hpp"

#include "temporary_folder.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstddef>
#include <cstdlib>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace wcs_node_agent {
namespace {

using namespace std::chrono_literals;

/// systemd's end: a datagram socket bound to a path, or to an abstract name with @ in front.
class Listener {
 public:
    explicit Listener(const std::string& name) : socket_(::socket(AF_UNIX, SOCK_DGRAM, 0)) {
        sockaddr_un address{};
        address.sun_family = AF_UNIX;
        std::ranges::copy(name, address.sun_path);
        if (name[0] == '@') {
            address.sun_path[0] = '\0';
        }
        const auto length = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + name.size());
        EXPECT_EQ(::bind(socket_, reinterpret_cast<const sockaddr*>(&address), length), 0);
    }
    Listener(const Listener&) = delete;
    Listener& operator=(const Listener&) = delete;
    ~Listener() { ::close(socket_); }

    /// How many descriptors come with the next message, which is this one.
    std::size_t descriptors_of(std::string_view expected) const {
        std::array<char, 4096> text{};
        alignas(cmsghdr) std::array<char, CMSG_SPACE(64 * sizeof(int))> rights{};
        iovec part{.iov_base = text.data(), .iov_len = text.size()};
        msghdr header{};
        header.msg_iov = &part;
        header.msg_iovlen = 1;
        header.msg_control = rights.data();
        header.msg_controllen = rights.size();
        const auto size = ::recvmsg(socket_, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
        EXPECT_EQ(std::string_view(text.data(), size < 0 ? 0 : static_cast<std::size_t>(size)),
                  expected);
        const cmsghdr* const first = CMSG_FIRSTHDR(&header);
        if (first == nullptr) return 0;
        EXPECT_EQ(first->cmsg_type, SCM_RIGHTS);
        const std::size_t count = (first->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        for (std::size_t i = 0; i < count; ++i) {
            int descriptor = -1;
            std::memcpy(&descriptor, CMSG_DATA(first) + i * sizeof(int), sizeof(int));
            ::close(descriptor);
        }
        return count;
    }

    /// The next message, or nothing if none is there.
    std::string next() const {
        std::string message(4096, '\0');
        const auto size = ::recv(socket_, message.data(), message.size(), MSG_DONTWAIT);
        message.resize(size < 0 ? 0 : static_cast<std::size_t>(size));
        return message;
    }

 private:
    int socket_;
};

class Notify : public testing::Test {
 protected:
    ~Notify() override {
        for (const char* name : {"NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"}) {
            ::unsetenv(name);
        }
    }
    static void set(const char* name, const std::string& value) {
        ::setenv(name, value.c_str(), 1);
    }
    test::TemporaryFolder folder_;
};

TEST_F(Notify, SendsOneDatagramAMessageToAPath) {
    const std::string path = (folder_.path() / "notify").string();
    const Listener systemd(path);
    set("NOTIFY_SOCKET", path);
    SystemdNotifier notifier;
    notifier.ready();
    notifier.status("up 37%\nREADY=0");
    notifier.reloading(Clock::time_point(1500ms));
    notifier.watchdog();
    notifier.stopping();
    EXPECT_EQ(systemd.next(), "READY=1");
    EXPECT_EQ(systemd.next(), "STATUS=up 37% READY=0");
    EXPECT_EQ(systemd.next(), "RELOADING=1\nMONOTONIC_USEC=1500000");
    EXPECT_EQ(systemd.next(), "WATCHDOG=1");
    EXPECT_EQ(systemd.next(), "STOPPING=1");
    EXPECT_EQ(systemd.next(), "");
}

TEST_F(Notify, SendsToAnAbstractName) {
    const std::string name = fmt::format("@wna-notify-test-{}", ::getpid());
    const Listener systemd(name);
    set("NOTIFY_SOCKET", name);
    SystemdNotifier().ready();
    EXPECT_EQ(systemd.next(), "READY=1");
}

TEST_F(Notify, KeepsDescriptorsInPlaceOfThoseBefore) {
    const std::string path = (folder_.path() / "notify").string();
    const Listener systemd(path);
    set("NOTIFY_SOCKET", path);
    SystemdNotifier notifier;
    notifier.keep("port", std::vector{STDIN_FILENO, STDERR_FILENO});
    EXPECT_EQ(systemd.descriptors_of("FDSTOREREMOVE=1\nFDNAME=port"), 0U);
    EXPECT_EQ(systemd.descriptors_of("FDSTORE=1\nFDNAME=port"), 2U);
    notifier.keep("port", {});
    EXPECT_EQ(systemd.next(), "FDSTOREREMOVE=1\nFDNAME=port");
    EXPECT_EQ(systemd.next(), "");
}

TEST_F(Notify, KeepsWhatIsSentLaterThoughItIsClosedByThen) {
    const std::string path = (folder_.path() / "notify").string();
    set("NOTIFY_SOCKET", path);
    SystemdNotifier notifier;
    {
        const Descriptor opened(::dup(STDERR_FILENO));
        notifier.keep("port", std::vector{opened.get()});
    }
    const Listener systemd(path);
    notifier.retry();
    EXPECT_EQ(systemd.descriptors_of("FDSTOREREMOVE=1\nFDNAME=port"), 0U);
    EXPECT_EQ(systemd.descriptors_of("FDSTORE=1\nFDNAME=port"), 1U);
}

TEST_F(Notify, WithoutASocketNothingHappens) {
    SystemdNotifier().ready();
    for (const std::string& name :
         {std::string(), std::string("vsock:2:1234"), (folder_.path() / "absent").string(),
          "/" + std::string(200, 'x')}) {
        SCOPED_TRACE(name);
        set("NOTIFY_SOCKET", name);
        SystemdNotifier().ready();
    }
}

TEST_F(Notify, ASocketThatHasGoneIsNoHarm) {
    const std::string path = (folder_.path() / "notify").string();
    auto systemd = std::make_unique<Listener>(path);
    set("NOTIFY_SOCKET", path);
    SystemdNotifier notifier;
    systemd.reset();
    notifier.watchdog();
    notifier.watchdog();
}

TEST_F(Notify, WatchdogIntervalIsForThisProcess) {
    EXPECT_EQ(watchdog_interval(), std::nullopt);
    set("WATCHDOG_USEC", "30000000");
    EXPECT_EQ(watchdog_interval(), 30s);
    set("WATCHDOG_PID", std::to_string(::getpid()));
    EXPECT_EQ(watchdog_interval(), 30s);
    set("WATCHDOG_PID", std::to_string(::getpid() + 1));
    EXPECT_EQ(watchdog_interval(), std::nullopt);
    ::unsetenv("WATCHDOG_PID");
    for (const char* nonsense : {"0", "", "-5", "30s", "99999999999999999999"}) {
        SCOPED_TRACE(nonsense);
        set("WATCHDOG_USEC", nonsense);
        EXPECT_EQ(watchdog_interval(), std::nullopt);
    }
}

}  // namespace
}  // namespace wcs_node_agent
