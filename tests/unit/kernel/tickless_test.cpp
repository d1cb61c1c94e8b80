// SPDX-License-Identifier: Apache-2.0
#include "kernel/tickless.hpp"

#include "temporary_folder.hpp"

#include <filesystem>

#include <gtest/gtest.h>

namespace wcs_node_agent {
namespace {

TEST(Tickless, ByCommandLineAndClock) {
    const struct {
        const char* shows;
        const char* command_line;
        const char* clock_source;
        bool exact;
    } rows[] = {
        {"as distributions boot", "BOOT_IMAGE=/vmlinuz root=/dev/sda1 ro quiet", "tsc", true},
        {"nothing known", "", "", true},
        {"switched off", "ro nohz=off quiet", "tsc", false},
        {"as a boolean", "nohz=0", "tsc", false},
        {"in another form of it", "nohz=No", "tsc", false},
        {"switched on", "nohz=on", "tsc", true},
        {"the last one counts", "nohz=off nohz=1", "tsc", true},
        {"what means nothing does not", "nohz=off nohz=maybe nohz= nohz=o", "tsc", false},
        {"another parameter", "nohz_full=1-3 xnohz=off", "tsc", true},
        {"for init", "quiet -- nohz=off", "tsc", true},
        {"the clock of last resort", "quiet", "jiffies", false},
    };
    for (const auto& row : rows)
        EXPECT_EQ(idle_columns_are_exact(row.command_line, row.clock_source), row.exact)
            << row.shows;
}

TEST(Tickless, OfTheRunningKernel) {
    const test::TemporaryFolder folder;
    const auto clock = folder.path() / "devices/system/clocksource/clocksource0";
    std::filesystem::create_directories(clock);
    EXPECT_TRUE(kernel_keeps_exact_idle_columns(folder.path(), folder.path())) << "no such files";
    folder.write("devices/system/clocksource/clocksource0/current_clocksource", "jiffies\n");
    EXPECT_FALSE(kernel_keeps_exact_idle_columns(folder.path(), folder.path()));
    folder.write("devices/system/clocksource/clocksource0/current_clocksource", "tsc\n");
    EXPECT_TRUE(kernel_keeps_exact_idle_columns(folder.path(), folder.path()));
    folder.write("cmdline", "quiet nohz=off\n");
    EXPECT_FALSE(kernel_keeps_exact_idle_columns(folder.path(), folder.path()));
}

}  // namespace
}  // namespace wcs_node_agent
