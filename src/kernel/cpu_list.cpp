// SPDX-License-Identifier: Apache-2.0
#include "kernel/cpu_list.hpp"

#include "kernel/procfs_file.hpp"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

namespace wcs_node_agent {

namespace {

constexpr unsigned most_cpus = 8192;  // NR_CPUS with MAXSMP

std::optional<unsigned> take_number(std::string_view& text) {
    unsigned number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || number >= most_cpus) return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    return number;
}

bool take(char wanted, std::string_view& text) {
    if (!text.starts_with(wanted)) return false;
    text.remove_prefix(1);
    return true;
}

Result<std::vector<unsigned>> read_list(const char* path) {
    ProcFile file(path);
    const auto text = file.read();
    if (!text) return text.error();
    auto cpus = parse_cpu_list(*text);
    if (!cpus || cpus->empty()) return Error{fmt::format("{}: lists no CPU", path)};
    return *std::move(cpus);
}

}  // namespace

std::optional<std::vector<unsigned>> parse_cpu_list(std::string_view text) {
    while (text.ends_with('\n')) text.remove_suffix(1);
    std::vector<unsigned> cpus;
    while (!text.empty()) {
        const auto first = take_number(text);
        if (!first || (!cpus.empty() && *first <= cpus.back())) return std::nullopt;
        const auto last = take('-', text) ? take_number(text) : first;
        if (!last || *last < *first) return std::nullopt;
        for (unsigned cpu = *first; cpu <= *last; ++cpu) cpus.push_back(cpu);
        if (!text.empty() && (!take(',', text) || text.empty())) return std::nullopt;
    }
    return cpus;
}

void add_cpu(std::vector<unsigned>& cpus, unsigned cpu) {
    const auto at = std::ranges::lower_bound(cpus, cpu);
    if (at == cpus.end() || *at != cpu) cpus.insert(at, cpu);
}

Result<std::size_t> cpu_array_size() {
    const auto possible = read_list("/sys/devices/system/cpu/possible");
    if (!possible) return possible.error();
    return std::size_t{possible->back()} + 1;
}

Result<std::vector<unsigned>> present_cpus() {
    return read_list("/sys/devices/system/cpu/present");
}

}  // namespace wcs_node_agent
