// SPDX-License-Identifier: Apache-2.0
#include "process/program_text.hpp"

#include <fstream>
#include <stdexcept>
#include <string>

#include <gtest/gtest.h>

namespace wcs_node_agent {
namespace {

/// Pages of files that this process has mapped and holds, in KiB.
long resident_file_pages() {
    std::ifstream status("/proc/self/status");
    for (std::string word; status >> word;) {
        long kib = 0;
        if (word == "RssFile:" && status >> kib) return kib;
    }
    return -1;
}

TEST(ProgramText, WhatOnlyTheStartNeededIsGivenBackAndComesBackWhenCalled) {
    static const std::string constant = "constants and relocated ones stay what they are";
    const auto before = resident_file_pages();
    ASSERT_GT(before, 0);
    release_program_text();
    EXPECT_LT(resident_file_pages(), before);
    EXPECT_EQ(constant, "constants and relocated ones stay what they are");
    EXPECT_THROW(std::stoi("text of a library, with its tables for exceptions"),
                 std::invalid_argument);
}

}  // namespace
}  // namespace wcs_node_agent
