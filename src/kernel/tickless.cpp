// SPDX-License-Identifier: Apache-2.0
#include "kernel/tickless.hpp"

#include <fstream>
#include <optional>
#include <string>

namespace wcs_node_agent {

namespace {

std::string first_line(const std::filesystem::path& file) {
    std::string line;
    std::getline(std::ifstream(file), line);
    return line;
}

/// As the kernel's kstrtobool() reads it.
std::optional<bool> boolean(std::string_view text) {
    if (text.empty()) return std::nullopt;
    if (std::string_view("yYtT1").find(text[0]) != std::string_view::npos) return true;
    if (std::string_view("nNfF0").find(text[0]) != std::string_view::npos) return false;
    if (text.size() < 2 || (text[0] != 'o' && text[0] != 'O')) return std::nullopt;
    if (text[1] == 'n' || text[1] == 'N') return true;
    if (text[1] == 'f' || text[1] == 'F') return false;
    return std::nullopt;
}

}  // namespace

/// The last nohz= that means something counts. With the clock `jiffies` there is nobody to say when
/// a stopped tick should have come, so the kernel keeps ticking.
bool idle_columns_are_exact(std::string_view command_line, std::string_view clock_source) {
    bool tickless = true;
    while (!command_line.empty()) {
        const auto end = command_line.find_first_of(" \t\n");
        const auto word = command_line.substr(0, end);
        command_line.remove_prefix(end == std::string_view::npos ? command_line.size() : end + 1);
        if (word == "--") break;  // what follows is for init
        if (word.starts_with("nohz=")) tickless = boolean(word.substr(5)).value_or(tickless);
    }
    return tickless && clock_source != "jiffies";
}

bool kernel_keeps_exact_idle_columns(const std::filesystem::path& proc,
                                     const std::filesystem::path& sys) {
    return idle_columns_are_exact(
        first_line(proc / "cmdline"),
        first_line(sys / "devices/system/clocksource/clocksource0/current_clocksource"));
}

}  // namespace wcs_node_agent
