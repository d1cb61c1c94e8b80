// SPDX-License-Identifier: Apache-2.0
#include "process/passed_sockets.hpp"

#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <fmt/format.h>

namespace wcs_node_agent {

namespace {

constexpr int first_passed = 3;       // SD_LISTEN_FDS_START
constexpr int most_passed = 1 << 16;  // more is no count of systemd's

std::string_view variable(const char* name) {
    const char* const value =
        std::getenv(name);  // NOLINT(concurrency-mt-unsafe): no other thread reads or sets it
    return value == nullptr ? std::string_view() : value;
}

std::optional<int> number_in(std::string_view text) {
    int number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    const bool is_whole = error == std::errc() && end == text.data() + text.size();
    return is_whole ? std::optional(number) : std::nullopt;
}

std::vector<std::string> split(std::string_view names) {
    std::vector<std::string> parts;
    for (std::size_t end = 0; end != std::string_view::npos;) {
        end = names.find(':');
        parts.emplace_back(names.substr(0, end));
        names.remove_prefix(end == std::string_view::npos ? names.size() : end + 1);
    }
    return parts;
}

std::optional<int> option_of(int socket, int level, int name) {
    int value = 0;
    socklen_t size = sizeof(value);
    if (::getsockopt(socket, level, name, &value, &size) != 0) return std::nullopt;
    return value;
}

}  // namespace

Result<std::vector<std::string>> passed_names(const PassedVariables& variables, pid_t self) {
    if (variables.pid.empty() || variables.count.empty()) return std::vector<std::string>();
    const auto pid = number_in(variables.pid);
    const auto count = number_in(variables.count);
    if (!pid || !count || *count < 0 || *count > most_passed)
        return Error{fmt::format("$LISTEN_PID={} $LISTEN_FDS={}: not as systemd sets them",
                                 variables.pid, variables.count)};
    if (*pid != self || *count == 0) return std::vector<std::string>();
    const auto wanted = static_cast<std::size_t>(*count);
    if (variables.names.empty()) return std::vector<std::string>(wanted, "unknown");
    auto names = split(variables.names);
    if (names.size() != wanted)
        return Error{fmt::format("$LISTEN_FDNAMES={}: has {} names for {} descriptors",
                                 variables.names, names.size(), wanted)};
    return names;
}

Result<std::vector<PassedDescriptor>> take_passed_descriptors() {
    auto names = passed_names({.pid = variable("LISTEN_PID"),
                               .count = variable("LISTEN_FDS"),
                               .names = variable("LISTEN_FDNAMES")},
                              ::getpid());
    if (!names) return names.error();
    std::vector<PassedDescriptor> passed;
    int number = first_passed;
    for (auto& name : *names) {
        const int descriptor = number++;
        if (::fcntl(descriptor, F_SETFD, FD_CLOEXEC) == 0)
            passed.push_back({Descriptor(descriptor), std::move(name)});
    }
    return passed;
}

Result<TcpListener> inspect_listener(int descriptor) {
    const auto protocol = option_of(descriptor, SOL_SOCKET, SO_PROTOCOL);
    if (!protocol) return Error{"is no socket"};
    if (*protocol != IPPROTO_TCP) return Error{"is a socket of another kind than TCP's"};
    if (option_of(descriptor, SOL_SOCKET, SO_ACCEPTCONN) != 1) return Error{"does not listen"};
    TcpListener listener;
    auto size = static_cast<socklen_t>(listener.at.capacity());
    if (::getsockname(descriptor, listener.at.data(), &size) != 0)
        return failure("getsockname", errno);
    listener.at.resize(size);
    listener.takes_both_families = listener.at.address().is_v6() &&
                                   listener.at.address().is_unspecified() &&
                                   option_of(descriptor, IPPROTO_IPV6, IPV6_V6ONLY) == 0;
    return listener;
}

}  // namespace wcs_node_agent
