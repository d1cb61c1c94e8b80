// SPDX-License-Identifier: Apache-2.0
#include "kernel/procfs.hpp"

#include "kernel/traffic_sources.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <fcntl.h>
#include <memory>
#include <optional>

namespace wcs_node_agent {

namespace {

std::string_view next_line(std::string_view& text) {
    const auto end = text.find('\n');
    const auto line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    return line;
}

std::optional<std::uint64_t> next_number(std::string_view& line) {
    line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), number);
    if (error != std::errc()) return std::nullopt;
    line.remove_prefix(static_cast<std::size_t>(end - line.data()));
    return number;
}

/// As many numbers as there are, the others 0: kernels have added columns over time.
template <std::size_t N>
std::array<std::uint64_t, N> next_numbers(std::string_view line) {
    std::array<std::uint64_t, N> numbers{};
    for (auto& number : numbers) number = next_number(line).value_or(0);
    return numbers;
}

}  // namespace

std::vector<CpuCounters> parse_cpu_times(std::string_view stat, std::uint64_t ticks_per_second) {
    std::vector<CpuCounters> cpus;
    while (!stat.empty()) {
        auto line = next_line(stat);
        if (!line.starts_with("cpu")) break;  // they stand at the head; the rest can be long
        line.remove_prefix(3);
        if (line.starts_with(' ')) continue;  // the sum over all
        const auto cpu = next_number(line);
        if (!cpu) continue;
        // guest time, which follows, is within user time already.
        const auto [user, nice, system, idle, iowait, irq, softirq, steal] = next_numbers<8>(line);
        const auto duration = [&](std::uint64_t ticks) {
            return std::chrono::nanoseconds(ticks * (1'000'000'000 / ticks_per_second));
        };
        cpus.push_back({.cpu = static_cast<unsigned>(*cpu),
                        .busy = duration(user + nice + system + irq + softirq + steal),
                        .steal = duration(steal)});
    }
    return cpus;
}

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
}

Result<RawCounters> ProcfsProbe::read() {
    RawCounters counters;
    auto net_dev = net_dev_.read();
    if (!net_dev) return net_dev.error();
    for (auto& interface : parse_net_dev(*net_dev)) {
        const auto found = indexes_.find(interface.name);
        if (found == indexes_.end()) continue;
        interface.index = found->second;
        counters.interfaces.push_back(std::move(interface));
    }
    std::ranges::sort(counters.interfaces, {}, &InterfaceCounters::index);

    auto stat = stat_.read();
    if (!stat) return stat.error();
    counters.cpus = parse_cpu_times(*stat, static_cast<std::uint64_t>(::sysconf(_SC_CLK_TCK)));
    counters.at = Clock::now();
    return counters;
}

}  // namespace wcs_node_agent
