// SPDX-License-Identifier: Apache-2.0
#include "cli/preflight.hpp"

#include "cli/running_agent.hpp"
#include "config/profile_values.hpp"
#include "config/value_text.hpp"
#include "process/port_holder.hpp"
#include "process/user.hpp"

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <iterator>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/socket_base.hpp>
#include <fmt/format.h>

namespace wcs_node_agent {

namespace {

namespace asio = boost::asio;
namespace errc = boost::system::errc;
using asio::ip::tcp;
using boost::system::error_code;

std::string who(const PortHolder& holder) {
    return fmt::format("{} (pid {})", holder.program, holder.pid);
}

/// None: nobody has the agent's socket.
std::optional<pid_t> check_running_agent(DoctorReport& report) {
    const auto agent = RunningAgent::find();
    if (!agent) {
        report.ok("running agent", "none");
        return std::nullopt;
    }
    auto reply = agent->reply(std::chrono::seconds(3));
    if (!reply) {
        report.note("running agent", "there is one that does not answer yet");
        return agent->pid();
    }
    reply->pop_back();
    report.ok("running agent", fmt::format("pid {}: {}", agent->pid().value_or(0), *reply));
    return agent->pid();
}

/// As the agent's listener does.
error_code try_to_bind(const tcp::endpoint& endpoint) {
    asio::io_context io(1);
    tcp::acceptor acceptor(io);
    error_code error;
    acceptor.open(endpoint.protocol(), error);
    if (error) return error;
    acceptor.set_option(asio::socket_base::reuse_address(true));
    if (endpoint.address().is_v6()) acceptor.set_option(asio::ip::v6_only(true));
    acceptor.bind(endpoint, error);
    return error;
}

std::string texts(const std::vector<tcp::endpoint>& endpoints) {
    std::vector<std::string> all;
    std::ranges::transform(endpoints, std::back_inserter(all), endpoint_text);
    return fmt::format("{}", fmt::join(all, ", "));
}

constexpr pid_t systemd = 1;

/// A port that cannot be bound. systemd has those of socket units, and a copy of the running
/// agent's, which it keeps over a restart.
void report_taken(const std::string& setting, const tcp::endpoint& endpoint,
                  std::optional<pid_t> agent, DoctorReport& report) {
    const auto port = endpoint_text(endpoint);
    const auto of_agent = agent ? listens_at(*agent, endpoint) : std::vector<tcp::endpoint>();
    const bool has_all =
        !endpoint.address().is_unspecified() ||
        std::ranges::any_of(of_agent, [](const auto& at) { return at.address().is_unspecified(); });
    if (!of_agent.empty() && has_all) return report.ok(setting, port + " is the running agent's");
    if (!of_agent.empty())
        return report.note(
            setting, fmt::format("{}: the running agent listens at {} in its place: by a socket "
                                 "unit (systemctl list-sockets), or it has not been reloaded",
                                 port, texts(of_agent)));
    const auto holder = find_port_holder(endpoint);
    if (holder && holder->pid == systemd)
        return report.note(
            setting, fmt::format("{}: systemd listens there and starts for who connects what "
                                 "systemctl list-sockets names, which is to be wcs-node-agent",
                                 port));
    report.missing(
        setting,
        fmt::format("{} is taken by {}", port, holder ? who(*holder) : "another user's program"),
        "end that program, or let the agent listen at another port");
}

void check_port(const std::string& setting, const tcp::endpoint& endpoint,
                std::optional<pid_t> agent, DoctorReport& report) {
    const auto port = endpoint_text(endpoint);
    const auto error = try_to_bind(endpoint);
    if (!error) {
        report.ok(setting, port + " is free");
    } else if (error == errc::address_in_use) {
        report_taken(setting, endpoint, agent, report);
    } else if (error == errc::address_not_available) {
        report.note(setting, port + ": no interface has this address yet");
    } else if (error == errc::address_family_not_supported && endpoint.address().is_unspecified()) {
        report.note(setting, port + ": this machine has no IPv6");
    } else {
        report.missing(setting, fmt::format("{}: {}", port, error.message()));
    }
}

bool is_loopback_alone(const AllowList& allowed) {
    return std::ranges::all_of(
               allowed.v4, [](const auto& network) { return network.address().is_loopback(); }) &&
           std::ranges::all_of(allowed.v6,
                               [](const auto& network) { return network.address().is_loopback(); });
}

void check_allowed(const char* setting, const AllowList& allowed, const char* refused,
                   DoctorReport& report) {
    if (is_loopback_alone(allowed))
        report.note(setting, fmt::format("this machine alone: {} elsewhere is refused until its "
                                         "address is in the list",
                                         refused));
    else
        report.ok(setting, fmt::format("{}", fmt::join(network_texts(allowed), ", ")));
}

}  // namespace

void check_clients(const Config& config, DoctorReport& report) {
    const auto agent = check_running_agent(report);
    for (const auto& endpoint : config.agent_listen)
        check_port("agent_listen", endpoint, agent, report);
    for (const auto& profile : config.profiles)
        for (const auto& endpoint : profile.agent_listen)
            check_port(profile_setting(profile, "agent_listen"), endpoint, agent, report);
    for (const auto& endpoint : config.metrics_listen)
        check_port("metrics_listen", endpoint, agent, report);
    check_allowed("allow", config.allow, "an HAProxy", report);
    check_allowed("metrics_allow", config.metrics_allow, "a Prometheus", report);
}

void check_files(const Config& config, const WebConfig& web, DoctorReport& report) {
    std::vector<std::filesystem::path> files{web.file};
    if (web.tls) {
        const auto& tls = web.tls->settings();
        files.insert(files.end(), {tls.cert_file, tls.key_file, tls.client_ca_file});
    }
    if (config.wcs_url.tls) files.emplace_back(config.wcs_ca_file);
    std::erase_if(files, [](const auto& file) { return file.empty(); });
    if (files.empty()) return;
    const auto user = chosen_user(config.user);
    if (!user) {
        report.missing("user", user.error().what);
        return;
    }
    // Another than root has read them by now as the agent would.
    if (!*user || !why_not_become(**user).empty()) return;
    for (const auto& file : files) {
        if (can_read(**user, file))
            report.ok("file of the agent's user", file.native());
        else
            report.missing("file of the agent's user",
                           fmt::format("{} cannot be read by user {}: as a service the agent would "
                                       "not start, started by root it would not see it renewed",
                                       file.native(), (*user)->name),
                           "let that user read it, or hand it over by LoadCredential=, as tls.conf "
                           "does");
    }
}

}  // namespace wcs_node_agent
