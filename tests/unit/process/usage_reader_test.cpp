// SPDX-License-Identifier: Apache-2.0
#include "process/usage_reader.hpp"

#include <wcs_node_agent/descriptor.hpp>

#include <fcntl.h>
#include <optional>
#include <sys/mman.h>
#include <unistd.h>

#include <gtest/gtest.h>

namespace wcs_node_agent {
namespace {

using namespace std::chrono_literals;

TEST(StartTicks, AreTheTwentySecondField) {
    struct Row {
        const char* shows;
        const char* stat;
        std::optional<std::uint64_t> ticks;
    };
    const Row rows[] = {
        {"a line of the kernel",
         "7 (cat) R 1 7 7 0 -1 4194304 90 0 0 0 1 2 0 0 20 0 1 0 8261 5632000 400 184 0", 8261},
        {"any name",
         "7 (a) R 1 (b) R 1 7 7 0 -1 4194304 90 0 0 0 1 2 0 0 20 0 1 0 8261 5632000 400 184 0",
         8261},
        {"cut off", "7 (cat) R 1 7 7 0 -1 4194304 90", std::nullopt},
        {"no such line", "cpu 1 2 3", std::nullopt},
        {"nothing", "", std::nullopt},
    };
    for (const auto& row : rows) EXPECT_EQ(parse_start_ticks(row.stat), row.ticks) << row.shows;
}

TEST(UsageReader, SaysWhatThisProcessTakes) {
    UsageReader reader;
    auto at = Clock::now();
    const auto read_anew = [&] { return reader.read(at += 1s); };
    const auto before = read_anew();
    ASSERT_TRUE(before.cpu_time && before.virtual_bytes && before.resident_bytes &&
                before.open_descriptors && before.max_descriptors && before.started);
    const auto now = std::chrono::system_clock::now();
    EXPECT_LT(*before.started, now);
    EXPECT_GT(*before.started, now - 1h) << "a test takes no hour";
    EXPECT_EQ(*before.max_descriptors, static_cast<std::uint64_t>(::getdtablesize()));

    constexpr std::size_t size = 64 << 20;
    void* const memory = ::mmap(nullptr, size, PROT_READ | PROT_WRITE,
                                MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    ASSERT_NE(memory, MAP_FAILED);
    const Descriptor opened(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    while (read_anew().cpu_time <= *before.cpu_time) {
    }
    const auto after = read_anew();
    EXPECT_GE(*after.virtual_bytes, *before.virtual_bytes + size);
    EXPECT_GE(*after.resident_bytes, *before.resident_bytes + size / 2);
    EXPECT_EQ(*after.open_descriptors, *before.open_descriptors + 1);
    EXPECT_EQ(after.started, before.started);
    ::munmap(memory, size);
}

TEST(UsageReader, ReadsOnceASecond) {
    UsageReader reader;
    const Clock::time_point start{};
    const auto before = reader.read(start).open_descriptors;
    const Descriptor opened(::open("/dev/null", O_RDONLY | O_CLOEXEC));
    EXPECT_EQ(reader.read(start + 750ms).open_descriptors, before);
    EXPECT_EQ(reader.read(start + 1s).open_descriptors, *before + 1);
}

}  // namespace
}  // namespace wcs_node_agent
