// SPDX-License-Identifier: Apache-2.0
#include "kernel/procfs.hpp"

#include "kernel/proc_text.hpp"
#include "kernel/traffic_sources.hpp"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
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

ProcFile::ProcFile(std::filesystem::path path, Descriptor descriptor)
    : path_(std::move(path)), descriptor_(std::move(descriptor)) {}

Result<ProcFile> ProcFile::open(const std::filesystem::path& path) {
    Descriptor descriptor(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (!descriptor) return failure(path.native(), errno);
    return ProcFile(path, std::move(descriptor));
}

Result<std::string_view> ProcFile::read() {
    constexpr std::size_t step = 16 * 1024;
    std::size_t length = 0;
    for (;;) {
        if (buffer_.size() < length + step) buffer_.resize(length + step);
        const auto got = ::pread(descriptor_.get(), buffer_.data() + length,
                                 buffer_.size() - length, static_cast<off_t>(length));
        if (got < 0) return failure(path_.native(), errno);
        if (got == 0) return std::string_view(buffer_).substr(0, length);
        length += static_cast<std::size_t>(got);
    }
}

ProcfsProbe::ProcfsProbe(ProcFile net_dev, ProcFile stat)
    : net_dev_(std::move(net_dev)), stat_(std::move(stat)) {}

Result<std::unique_ptr<ProcfsProbe>> ProcfsProbe::open(const std::filesystem::path& root) {
    // proc/net is a link to self/net: the namespace of this process.
    auto net_dev = ProcFile::open(root / "net/dev");
    if (!net_dev) return net_dev.error();
    auto stat = ProcFile::open(root / "stat");
    if (!stat) return stat.error();
    return std::unique_ptr<ProcfsProbe>(
        new ProcfsProbe(std::move(net_dev).value(), std::move(stat).value()));
}

void ProcfsProbe::set_links(std::span<const Link> links,
                            std::span<const std::uint32_t> /*priority*/) {
    indexes_.clear();
    for (const auto& link : links)
        if (!link.loopback) indexes_.emplace(link.name, link.index);
    std::erase_if(traffic_, [&](const auto& one) {
        return !std::ranges::binary_search(links, one.first, {}, &Link::index);
    });
}

Result<RawCounters> ProcfsProbe::read() {
    RawCounters counters;
    auto net_dev = net_dev_.read();
    if (!net_dev) return net_dev.error();
    const auto now = Clock::now();
    for (auto& interface : parse_net_dev(*net_dev)) {
        const auto found = indexes_.find(interface.name);
        if (found == indexes_.end()) continue;
        interface.index = found->second;
        auto& traffic = traffic_.try_emplace(interface.index, interface.traffic, now).first->second;
        traffic.advance(interface.traffic, now);
        interface.traffic = traffic.total();
        interface.since = traffic.since();
        counters.interfaces.push_back(std::move(interface));
    }
    std::ranges::sort(counters.interfaces, {}, &InterfaceCounters::index);

    const auto before = Clock::now();
    auto stat = stat_.read();
    if (!stat) return stat.error();
    counters.at = Clock::now();
    counters.cpus = cpu_times_.update(*stat, before, counters.at);
    return counters;
}

}  // namespace wcs_node_agent
