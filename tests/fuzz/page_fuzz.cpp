// SPDX-License-Identifier: Apache-2.0
#include "wcs/page.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

static void require(bool holds) {
    if (!holds) {
        std::abort();
    }
}

/// Any body is a page within its bounds or an error with a text.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace wcs_node_agent;
    constexpr std::size_t max_entries = 8;
    const CountNames names;
    const std::string_view body(reinterpret_cast<const char*>(data), size);
    const auto page = parse_page(body, max_entries, names);
    if (!page) {
        require(!page.error().what.empty());
        return 0;
    }
    const auto counted_names = 2 * all_protocols.size() + names.hls.size();
    require(page->numbers.size() + page->texts.size() <= max_entries + counted_names);
    const auto counts = count_streams(*page, names);
    require(counts.hls || !counts.missing.empty());
    return 0;
}
