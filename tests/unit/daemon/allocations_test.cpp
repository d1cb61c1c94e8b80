// SPDX-License-Identifier: Apache-2.0
#include "config/settings.hpp"
#include "daemon/assessor.hpp"

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <memory>
#include <new>

#include <gtest/gtest.h>

namespace {

std::atomic<long> allocated_blocks{0};
std::atomic<long> freed_blocks{0};

void* allocate(std::size_t size) {
    void* const block = std::malloc(size);
    if (block == nullptr) throw std::bad_alloc();
    ++allocated_blocks;
    return block;
}

void release(void* block) {
    if (block == nullptr) return;
    ++freed_blocks;
    std::free(block);
}

}  // namespace

// Of the whole test program. Nothing here is aligned beyond what malloc gives.
void* operator new(std::size_t size) { return allocate(size); }
void* operator new[](std::size_t size) { return allocate(size); }
void operator delete(void* block) noexcept { release(block); }
void operator delete[](void* block) noexcept { release(block); }
void operator delete(void* block, std::size_t) noexcept { release(block); }
void operator delete[](void* block, std::size_t) noexcept { release(block); }

namespace wcs_node_agent::test {
namespace {

using namespace std::chrono_literals;

struct HeapUse {
    long allocations = 0;  // most for one sample
    long blocks = 0;       // most that were there after one
    auto operator<=>(const HeapUse&) const = default;
};

/// A node whose sessions come and go with a period of 100 samples, up to its limit and beyond.
class BusyNode {
 public:
    explicit BusyNode(const Config& config) : assessor_(config) {}

    /// The most of any of `samples` samples.
    HeapUse judge(int samples) {
        HeapUse most;
        for (int i = 0; i < samples; ++i) {
            auto sample = next_sample();
            const auto wcs = next_wcs();
            const auto before = allocated_blocks.load();
            last_ = assessor_.assess(std::move(sample), wcs, {});
            most.allocations = std::max(most.allocations, allocated_blocks - before);
            most.blocks = std::max(most.blocks, allocated_blocks - freed_blocks);
        }
        return most;
    }

 private:
    double phase() const { return 1 + std::sin(number_ % 100 * 2 * M_PI / 100); }

    Sample next_sample() {
        ++number_;
        now_ += 250ms;
        Sample sample;
        sample.counters.at = now_;
        sample.rates.cpu_utilisation = 0.4 * phase();
        sample.rates.bits_in = sample.rates.bits_out = 55e6 * phase();
        sample.rates.udp_loss = 0;
        return sample;
    }

    WcsState next_wcs() const {
        WcsState wcs;
        wcs.asked = true;
        wcs.page_at = now_;
        wcs.publishers = wcs.subscribers = HeldCount{std::floor(60 * phase()), now_};
        wcs.hls = HeldCount{0, now_};
        return wcs;
    }

    Assessor assessor_;
    Snapshot last_;
    Clock::time_point now_{100s};
    int number_ = 0;
};

TEST(Allocations, OfASampleDoNotGrowWithTime) {
    Config config;
    ASSERT_EQ(to_string(apply_settings(config, Json::parse(R"({"profiles": {
        "publish": {"agent_listen": "127.0.0.1:1", "subscribers": "off"},
        "play": {"agent_listen": "127.0.0.1:2", "publishers": "off", "policy": "proportional"}}})"))),
              "");
    BusyNode node(config);
    const auto first = node.judge(4 * 1800);
    const auto later = node.judge(4 * 7200);
    RecordProperty("allocations", static_cast<int>(first.allocations));
    EXPECT_LE(later.allocations, first.allocations);
    EXPECT_LE(later.blocks, first.blocks);
    EXPECT_LT(first.allocations, 150) << "three answers";
}

}  // namespace
}  // namespace wcs_node_agent::test
