// SPDX-License-Identifier: Apache-2.0
#include "cli/reload_command.hpp"

#include "cli/control_client.hpp"
#include "process/exit_status.hpp"

#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <optional>
#include <ostream>
#include <string_view>

namespace wcs_node_agent {

namespace {

/// systemd waits for 90 s by default. The kernel may keep a look at its interfaces waiting.
constexpr auto reload_timeout = std::chrono::seconds(60);

std::optional<pid_t> main_process() {
    const char* const value =
        std::getenv("MAINPID");  // NOLINT(concurrency-mt-unsafe): there is one thread
    const std::string_view text = value == nullptr ? "" : value;
    pid_t pid = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), pid);
    const bool is_pid = error == std::errc() && end == text.data() + text.size() && pid > 1;
    return is_pid ? std::optional(pid) : std::nullopt;
}

int reload_by_signal(std::ostream& out, std::ostream& err) {
    const auto pid = main_process();
    if (!pid) {
        err << "control.socket is empty: send the agent SIGHUP; what comes of it is in its log\n";
        return exit_failed;
    }
    if (::kill(*pid, SIGHUP) != 0) {
        err << "SIGHUP to " << *pid << ": " << std::strerror(errno) << '\n';
        return exit_failed;
    }
    out << "asked for by SIGHUP, as control.socket is empty: what comes of it is in the log\n";
    return exit_done;
}

}  // namespace

int reload_command(const ControlSettings& settings, std::ostream& out, std::ostream& err) {
    if (settings.socket.empty()) return reload_by_signal(out, err);
    const auto reply = ask_control_socket(settings.socket, reload_request, reload_timeout);
    if (!reply) {
        err << reply.error().what << '\n';
        return exit_failed;
    }
    out << "done\n";
    return exit_done;
}

}  // namespace wcs_node_agent
