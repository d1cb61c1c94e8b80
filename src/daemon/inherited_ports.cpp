// SPDX-License-Identifier: Apache-2.0
#include "daemon/inherited_ports.hpp"

#include "config/profile_values.hpp"
#include "config/value_text.hpp"

#include <algorithm>
#include <fcntl.h>
#include <iterator>
#include <utility>

#include <fmt/ranges.h>
#include <spdlog/spdlog.h>

namespace wcs_node_agent {

namespace {

constexpr std::string_view metrics_setting = "metrics_listen";

struct ListenSetting {
    std::string name;
    std::vector<tcp::endpoint>& endpoints;
};

std::vector<ListenSetting> listen_settings(Config& config) {
    std::vector<ListenSetting> all{{"agent_listen", config.agent_listen},
                                   {std::string(metrics_setting), config.metrics_listen}};
    for (auto& profile : config.profiles)
        all.push_back({profile_setting(profile, "agent_listen"), profile.agent_listen});
    return all;
}

std::string text_of(const std::vector<tcp::endpoint>& endpoints) {
    std::vector<std::string> texts;
    std::ranges::transform(endpoints, std::back_inserter(texts), endpoint_text);
    return fmt::format("{}", fmt::join(texts, ", "));
}

std::vector<tcp::endpoint> sorted(std::vector<tcp::endpoint> endpoints) {
    std::ranges::sort(endpoints);
    return endpoints;
}

Descriptor copy_of(const Descriptor& socket) {
    return Descriptor(::fcntl(socket.get(), F_DUPFD_CLOEXEC, 0));
}

}  // namespace

InheritedPorts::InheritedPorts(std::vector<PassedDescriptor> passed) {
    std::vector<tcp::endpoint> kept;
    for (auto& [descriptor, name] : passed) {
        const auto listener = inspect_listener(descriptor.get());
        if (!listener) {
            spdlog::warn("what systemd passes by the name {} {}: it is not used", name,
                         listener.error().what);
            continue;
        }
        if (name == kept_port_name) {
            kept.push_back(listener->at);
            kept_.push_back({std::move(descriptor), *listener, ""});
        } else {
            spdlog::info("systemd passes {} {}", name, endpoint_text(listener->at));
            of_units_.push_back({std::move(descriptor), *listener, name});
        }
    }
    if (!kept.empty()) spdlog::info("kept by systemd over the restart: {}", text_of(sorted(kept)));
}

std::vector<tcp::endpoint> InheritedPorts::of(std::string_view setting) const {
    std::vector<tcp::endpoint> endpoints;
    for (const Port& port : of_units_)
        if (port.setting == setting) endpoints.push_back(port.listener.at);
    return endpoints;
}

/// As a configuration would say it: [::] is IPv6 alone there.
std::vector<tcp::endpoint> InheritedPorts::covered_by(std::string_view setting) const {
    auto endpoints = of(setting);
    for (const Port& port : of_units_)
        if (port.setting == setting && port.listener.takes_both_families)
            endpoints.emplace_back(asio::ip::address_v4::any(), port.listener.at.port());
    return endpoints;
}

void InheritedPorts::impose(Config& config) const {
    auto settings = listen_settings(config);
    for (auto& [name, endpoints] : settings) {
        auto passed = of(name);
        if (passed.empty()) continue;
        if (sorted(endpoints) != sorted(covered_by(name)))
            spdlog::warn(
                "{}: a socket unit passes {}, which holds; the configuration has {}: make them the "
                "same, by systemctl edit of the unit that systemctl list-sockets names",
                name, text_of(passed), text_of(endpoints));
        endpoints = std::move(passed);
    }
    for (const Port& port : of_units_)
        if (std::ranges::find(settings, port.setting, &ListenSetting::name) == settings.end())
            spdlog::warn(
                "a socket unit passes {} by the name {}, which is no setting of addresses: nobody "
                "answers there; FileDescriptorName= is to be {}",
                endpoint_text(port.listener.at), port.setting,
                "agent_listen, metrics_listen or profiles.NAME.agent_listen");
}

void InheritedPorts::hand_over(const Config& config, Listener& agent, Listener& http) {
    for (auto& port : std::exchange(kept_, {})) {
        const bool is_of_http = std::ranges::find(config.metrics_listen, port.listener.at) !=
                                config.metrics_listen.end();
        (is_of_http ? http : agent).adopt(std::move(port.socket), port.listener.at);
    }
    auto asked = config;
    for (const auto& [name, endpoints] : listen_settings(asked))
        for (const Port& port : of_units_)
            if (port.setting == name)
                (name == metrics_setting ? http : agent)
                    .adopt(copy_of(port.socket), port.listener.at);
}

bool InheritedPorts::is_of_unit(const tcp::endpoint& at) const {
    return std::ranges::any_of(of_units_, [&](const Port& port) { return port.listener.at == at; });
}

}  // namespace wcs_node_agent
