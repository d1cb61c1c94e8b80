// SPDX-License-Identifier: Apache-2.0
#include "kernel/time_namespace.hpp"

#include "kernel/proc_text.hpp"
#include "kernel/procfs_file.hpp"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <limits>

namespace wcs_node_agent {

namespace {

std::int64_t next_signed(std::string_view& line) {
    line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
    std::int64_t number = 0;
    const auto* end = std::from_chars(line.data(), line.data() + line.size(), number).ptr;
    line.remove_prefix(static_cast<std::size_t>(end - line.data()));
    return number;
}

}  // namespace

// "monotonic       -1500         0": whole seconds, and nanoseconds from there on. The kernel keeps
// the sum within what 64 bits hold in nanoseconds.
std::chrono::nanoseconds parse_monotonic_offset(std::string_view offsets) {
    constexpr std::string_view name = "monotonic ";
    constexpr auto most = std::numeric_limits<std::int64_t>::max() / 1'000'000'000 - 1;
    while (!offsets.empty()) {
        auto line = next_line(offsets);
        if (!line.starts_with(name)) continue;
        line.remove_prefix(name.size());
        const auto seconds = std::clamp(next_signed(line), -most, most);
        return std::chrono::seconds(seconds) + std::chrono::nanoseconds(next_signed(line));
    }
    return {};
}

Result<std::chrono::nanoseconds> own_monotonic_offset() {
    std::error_code error;
    const auto own = std::filesystem::read_symlink("/proc/self/ns/time", error);
    if (error == std::errc::no_such_file_or_directory) return std::chrono::nanoseconds::zero();
    if (error) return failure("/proc/self/ns/time", error);
    // The offsets are those of the namespace that children will be in.
    if (own != std::filesystem::read_symlink("/proc/self/ns/time_for_children", error))
        return Error{
            "/proc/self/ns/time_for_children is another: start it as a child (unshare "
            "--time --fork)"};
    ProcFile file("/proc/self/timens_offsets");
    const auto offsets = file.read();
    if (!offsets) return offsets.error();
    return parse_monotonic_offset(*offsets);
}

}  // namespace wcs_node_agent
