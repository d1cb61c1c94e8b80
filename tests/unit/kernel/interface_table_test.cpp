// SPDX-License-Identifier: Apache-2.0
#include "kernel/interface_table.hpp"

#include <set>
#include <vector>

#include <gtest/gtest.h>

namespace wcs_node_agent {
namespace {

class InterfaceTableTest : public testing::Test {
 protected:
    /// As find_interface() of the kernel program looks it up.
    std::uint16_t find(std::uint32_t ifindex) const {
        for (std::uint32_t probe = 0; probe < INTERFACE_PROBES; ++probe) {
            const auto& bucket = buckets_[(ifindex + probe) % INTERFACE_BUCKETS];
            if (bucket.ifindex == ifindex) return bucket.slot;
        }
        return UNPLACED_SLOT;
    }

    std::vector<interface_entry> buckets_{INTERFACE_BUCKETS};
};

TEST_F(InterfaceTableTest, WhatIsEnteredIsFound) {
    InterfaceTable table(buckets_, 8);
    const auto slot = table.enter(2, 14);
    ASSERT_TRUE(slot);
    EXPECT_NE(*slot, UNPLACED_SLOT);
    EXPECT_EQ(find(2), *slot);
    EXPECT_EQ(buckets_[2].l2_header, 14);
    EXPECT_EQ(find(3), UNPLACED_SLOT);
}

TEST_F(InterfaceTableTest, EverySlotIsGivenOnceAndTheUnplacedOneNever) {
    InterfaceTable table(buckets_, 8);
    std::set<std::uint16_t> slots;
    for (std::uint32_t index = 1; index <= 7; ++index) slots.insert(table.enter(index, 14).value());
    EXPECT_EQ(slots.size(), 7u);
    EXPECT_FALSE(slots.contains(UNPLACED_SLOT));
    EXPECT_FALSE(table.enter(8, 14)) << "full";
    table.remove(3);
    EXPECT_EQ(find(3), UNPLACED_SLOT);
    EXPECT_TRUE(table.enter(8, 14)) << "a freed slot is used again";
}

TEST_F(InterfaceTableTest, IndexesThatCollideAreFoundAsFarAsTheKernelLooks) {
    InterfaceTable table(buckets_, 100);
    for (std::uint32_t turn = 0; turn < INTERFACE_PROBES; ++turn) {
        const auto index = 7 + turn * INTERFACE_BUCKETS;
        const auto slot = table.enter(index, 0);
        ASSERT_TRUE(slot);
        EXPECT_EQ(find(index), *slot);
    }
    EXPECT_FALSE(table.enter(7 + INTERFACE_PROBES * INTERFACE_BUCKETS, 0))
        << "out of the kernel's reach: unplaced, rather than never found";
    table.remove(7);
    const auto second = 7 + INTERFACE_BUCKETS;
    EXPECT_NE(find(second), UNPLACED_SLOT) << "a hole before it hides nothing";
}

TEST_F(InterfaceTableTest, WhatAnEarlierProcessEnteredKeepsItsSlot) {
    InterfaceTable earlier(buckets_, 4);
    const auto first = earlier.enter(1, 14);
    const auto second = earlier.enter(2, 14);
    InterfaceTable table(buckets_, 4);
    EXPECT_EQ(table.entered(), (std::vector<std::uint32_t>{1, 2}));
    EXPECT_EQ(table.slot_of(1), first);
    EXPECT_EQ(table.slot_of(2), second);
    EXPECT_EQ(table.slot_of(3), std::nullopt);
    const auto third = table.enter(3, 14);
    ASSERT_TRUE(third);
    EXPECT_NE(third, first);
    EXPECT_NE(third, second);
    EXPECT_FALSE(table.enter(4, 14)) << "full";
}

TEST_F(InterfaceTableTest, MarksAreOfThoseThatAreNamedAlsoIfTheyAreEnteredLater) {
    InterfaceTable table(buckets_, 8);
    table.enter(1, 14);
    const auto slot = table.enter(2, 14);
    table.mark(std::vector<std::uint32_t>{2, 3}, 3);
    table.enter(3, 14);
    table.enter(4, 14);
    EXPECT_EQ(buckets_[1].marks, 0);
    EXPECT_EQ(buckets_[2].marks, 3);
    EXPECT_EQ(buckets_[2].slot, *slot);
    EXPECT_EQ(buckets_[2].l2_header, 14);
    EXPECT_EQ(buckets_[3].marks, 3);
    EXPECT_EQ(buckets_[4].marks, 0);
    table.mark(std::vector<std::uint32_t>{2}, 1);
    EXPECT_EQ(buckets_[2].marks, 1);
    EXPECT_EQ(buckets_[3].marks, 0);
}

TEST_F(InterfaceTableTest, RemovingWhatIsNotThereChangesNothing) {
    InterfaceTable table(buckets_, 3);
    table.remove(5);
    EXPECT_TRUE(table.enter(1, 0));
    EXPECT_TRUE(table.enter(2, 0));
    EXPECT_FALSE(table.enter(3, 0));
}

}  // namespace
}  // namespace wcs_node_agent
