// SPDX-License-Identifier: Apache-2.0
#include "wcs/page.hpp"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>
#include <tuple>

#include <nlohmann/json.hpp>

using namespace wcs_node_agent;

static void require(bool holds) {
    if (!holds) {
        std::abort();
    }
}

static constexpr std::size_t max_entries = 8;

/// The page in pieces whose lengths are those of `lengths`, over and over.
static Result<WcsPage> parse_cut(std::string_view body, std::string_view lengths,
                                 const CountNames& names) {
    PageParser parser(max_entries, names);
    for (std::size_t piece = 0; !body.empty(); ++piece) {
        const auto length = static_cast<unsigned char>(lengths[piece % lengths.size()]) + 1U;
        parser.feed(body.substr(0, length));
        body.remove_prefix(std::min<std::size_t>(length, body.size()));
    }
    return parser.finish();
}

static void require_same(const Result<WcsPage>& left, const Result<WcsPage>& right) {
    const auto parts = [](const WcsPage& page) {
        return std::tie(page.numbers, page.texts, page.left_out);
    };
    // Where in a literal or a character JSON goes wrong is told nearly.
    const auto kind = [](const Error& error) {
        return error.what.substr(0, error.what.find(" at byte "));
    };
    require(left.has_value() == right.has_value());
    require(left ? parts(*left) == parts(*right) : kind(left.error()) == kind(right.error()));
}

/// Any body is a page within its bounds or an error with a text, the same wherever it is cut, and
/// JSON to this parser if it is to another. The first byte says how many of the others are lengths.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view input(reinterpret_cast<const char*>(data), size);
    if (size < 2) {
        return 0;
    }
    const auto count = std::min<std::size_t>(data[0] & 7U, size - 2) + 1;
    const auto lengths = input.substr(1, count);
    const auto body = input.substr(1 + count);

    const CountNames names;
    const auto page = parse_page(body, max_entries, names);
    require_same(parse_cut(body, lengths, names), page);
    if (!page) {
        require(!page.error().what.empty());
    } else {
        const auto counted_names = 2 * all_protocols.size() + names.hls.size();
        require(page->numbers.size() + page->texts.size() <= max_entries + counted_names);
        const auto counts = count_streams(*page, names);
        require(counts.hls || !counts.missing.empty());
    }
    if (body.starts_with('{') && (page || page.error().what == "JSON without a single value")) {
        require(nlohmann::json::accept(body));
    }
    return 0;
}
