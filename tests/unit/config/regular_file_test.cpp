// SPDX-License-Identifier: Apache-2.0
#include "config/regular_file.hpp"

#include <string>
#include <sys/stat.h>
#include <temporary_folder.hpp>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace wcs_node_agent::test {

namespace {

constexpr std::size_t most = 4096;

std::string error_of(const std::filesystem::path& file) {
    const auto text = read_regular_file(file, most);
    return text ? "none" : text.error().what;
}

}  // namespace

TEST(RegularFile, HasAtMostTheBytesAskedFor) {
    const TemporaryFolder folder;
    for (const std::size_t size : {std::size_t{0}, most - 1, most}) {
        const std::string whole(size, 'x');
        const auto text = read_regular_file(folder.write("file", whole), most);
        ASSERT_TRUE(text) << size;
        EXPECT_EQ(*text, whole);
    }
    EXPECT_EQ(error_of(folder.write("file", std::string(most + 1, 'x'))), "is longer than 4 KiB");
}

TEST(RegularFile, MayBeASymbolicLinkAndOneOfProc) {
    const TemporaryFolder folder;
    std::filesystem::create_symlink("/proc/self/comm", folder.path() / "link");
    const auto text = read_regular_file(folder.path() / "link", most);
    ASSERT_TRUE(text);
    EXPECT_THAT(*text, testing::EndsWith("\n"));
}

TEST(RegularFile, WhatElseBearsTheNameIsAnErrorAtOnce) {
    const TemporaryFolder folder;
    const auto fifo = folder.path() / "fifo";
    ASSERT_EQ(::mkfifo(fifo.c_str(), 0644), 0);
    EXPECT_EQ(error_of(fifo), "is not a regular file");
    EXPECT_EQ(error_of("/dev/zero"), "is not a regular file");
    EXPECT_EQ(error_of(folder.path()), "cannot be read: Is a directory");
    EXPECT_EQ(error_of(folder.path() / "absent"), "cannot be read: No such file or directory");
}

}  // namespace wcs_node_agent::test
