// SPDX-License-Identifier: Apache-2.0
#include "wcs/page.hpp"

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <malloc.h>
#include <new>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace {

std::atomic<std::size_t> bytes_in_use = 0;
std::atomic<std::size_t> most_bytes_in_use = 0;

}  // namespace

// The whole program's, to count. malloc() knows the size of what it gave.
void* operator new(std::size_t size) {
    void* const memory = std::malloc(size);
    if (memory == nullptr) {
        throw std::bad_alloc();
    }
    bytes_in_use += malloc_usable_size(memory);
    most_bytes_in_use = std::max(most_bytes_in_use.load(), bytes_in_use.load());
    return memory;
}

void operator delete(void* memory) noexcept {
    bytes_in_use -= malloc_usable_size(memory);
    std::free(memory);
}

void operator delete(void* memory, std::size_t) noexcept { operator delete(memory); }

namespace wcs_node_agent {
namespace {

/// The greatest memory that parsing `head`, `unit` repeated up to 8 MiB, and `tail` took.
std::size_t memory_to_parse(std::string_view head, std::string_view unit, std::string_view tail) {
    const CountNames names;
    std::string piece;
    while (piece.size() < 16384) {
        piece += unit;
    }
    const std::size_t before = bytes_in_use;
    most_bytes_in_use = before;
    PageParser parser(16, names);
    parser.feed(head);
    for (std::size_t fed = 0; fed < (8U << 20U); fed += piece.size()) {
        parser.feed(piece);
    }
    parser.feed(tail);
    static_cast<void>(parser.finish());
    return most_bytes_in_use - before;
}

TEST(PageMemory, DoesNotGrowWithThePage) {
    const struct {
        const char* shows;
        std::string_view head, unit, tail;
    } rows[] = {
        {"lines", "", "name=1\n", ""},
        {"a line without end", "", "x", ""},
        {"a text without end", "name=", "x", "\n"},
        {"spaces before anything", "", " ", "a=1"},
        {"HTML", "<html>", "<p>", ""},
        {"binary", "", std::string_view("\0", 1), ""},
        {"JSON values", "{\"a\":1", ",\"b\":\"text\",\"c\":{\"d\":2.5}", "}"},
        {"a JSON string", "{\"a\":\"", "x", "\"}"},
        {"a JSON string of escapes", "{\"a\":\"", "\\u00e9\\n", "\"}"},
        {"a JSON name", "{\"", "x", "\":1}"},
        {"a JSON number", "{\"a\":0.", "1", "}"},
        {"a JSON array", "{\"a\":[0", ",\"text\",[1]", "]}"},
        {"brackets", "{\"a\":", "[", ""},
        {"braces", "", "{\"a\":", ""},
        {"long names on the way down",
         "{\"a\":{\"b\":", "{\"long_long_long_long_long_long_long_long_long_long_long_long\":", ""},
        {"spaces after JSON", "{\"a\":1}", " ", ""},
    };
    for (const auto& row : rows) {
        SCOPED_TRACE(row.shows);
        EXPECT_LT(memory_to_parse(row.head, row.unit, row.tail), 32U << 10U);
    }
}

}  // namespace
}  // namespace wcs_node_agent
