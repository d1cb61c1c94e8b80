// SPDX-License-Identifier: Apache-2.0
#include "kernel/procfs.hpp"

#include "kernel/proc_text.hpp"
#include "kernel/tickless.hpp"
#include "kernel/traffic_sources.hpp"

#include <algorithm>
#include <memory>

namespace wcs_node_agent {

std::vector<InterfaceCounters> parse_net_dev(std::string_view net_dev) {
    std::vector<InterfaceCounters> interfaces;
    while (!net_dev.empty()) {
        auto line = next_line(net_dev);
        const auto colon = line.rfind(':');  // a name may hold one
        if (colon == std::string_view::npos) continue;
        auto name = line.substr(0, colon);
        name.remove_prefix(std::min(name.find_first_not_of(' '), name.size()));
        const auto columns = next_numbers<net_dev_columns>(line.substr(colon + 1));
        auto& interface = interfaces.emplace_back();
        interface.name = name;
        for (const auto& source : traffic_sources)
            interface.traffic.*source.value = columns[source.net_dev_column];
    }
    return interfaces;
}

std::optional<DeviceCounters> answering_device_counters() {
    constexpr std::uint32_t loopback = 1;  // in every network namespace
    auto devices = DeviceCounters::open();
    if (!devices || !devices->read(loopback)) return std::nullopt;
    return std::move(devices).value();
}

ProcfsProbe::ProcfsProbe(const std::filesystem::path& root, std::optional<DeviceCounters> devices)
    // proc/net is a link to self/net: the namespace of this process.
    : net_dev_(root / "net/dev"),
      stat_(root / "stat", kernel_keeps_exact_idle_columns(root) ? BusyBy::idle : BusyBy::ticks),
      devices_(std::move(devices)) {}

Result<std::unique_ptr<ProcfsProbe>> ProcfsProbe::open(const std::filesystem::path& root,
                                                       std::optional<DeviceCounters> devices) {
    std::unique_ptr<ProcfsProbe> probe(new ProcfsProbe(root, std::move(devices)));
    if (!probe->devices_)
        if (const auto net_dev = probe->net_dev_.read(); !net_dev) return net_dev.error();
    return probe;
}

void ProcfsProbe::set_links(std::span<const Link> links,
                            std::span<const std::uint32_t> /*priority*/,
                            const std::optional<std::set<std::uint32_t>>& /*touched*/) {
    names_.clear();
    for (const auto& link : links)
        if (!link.loopback) names_.emplace(link.index, link.name);
    std::erase_if(traffic_, [&](const auto& one) { return !names_.contains(one.first); });
}

Result<std::vector<InterfaceCounters>> ProcfsProbe::read_interfaces() {
    std::vector<InterfaceCounters> interfaces;
    if (devices_) {
        for (const auto& [index, name] : names_)
            if (const auto traffic = devices_->read(index))
                interfaces.push_back({.index = index, .name = name, .traffic = *traffic});
        return interfaces;
    }
    const auto net_dev = net_dev_.read();
    if (!net_dev) return net_dev.error();
    auto listed = parse_net_dev(*net_dev);
    for (const auto& [index, name] : names_) {
        const auto found = std::ranges::find(listed, name, &InterfaceCounters::name);
        if (found == listed.end()) continue;
        found->index = index;
        interfaces.push_back(std::move(*found));
    }
    return interfaces;
}

Result<RawCounters> ProcfsProbe::read() {
    RawCounters counters;
    auto interfaces = read_interfaces();
    if (!interfaces) return interfaces.error();
    counters.interfaces = std::move(interfaces).value();
    const auto now = Clock::now();
    for (auto& interface : counters.interfaces) {
        auto& traffic = traffic_.try_emplace(interface.index, interface.traffic, now).first->second;
        traffic.advance(interface.traffic, now);
        interface.traffic = traffic.total();
        interface.since = traffic.since();
    }

    if (auto cpus = stat_.read())
        counters.cpus = std::move(cpus).value();
    else
        counters.cpus_unknown = cpus.error().what;
    counters.at = Clock::now();
    return counters;
}

}  // namespace wcs_node_agent
