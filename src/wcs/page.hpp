// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <wcs_node_agent/result.hpp>
#include <wcs_node_agent/wcs_state.hpp>

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace wcs_node_agent {

/// Takes a statistics page apart, text or JSON, as its bytes come: neither the page nor a long line
/// of it is ever stored whole. At most max_entries entries are kept, and besides them every name
/// that a count needs; the rest, texts over 1 KiB, and lines and JSON values over 4 KiB are counted
/// in left_out. A name that comes twice has its last value.
///
/// Text: lines that begin with `-` are section headers, the others `key=value`, split at the first
/// `=`. A value is a number only if the whole of it reads as one; a sign `+` does not.
/// JSON: the first level is the group, whose name is dropped, so that the names are those of the
/// text page; below it, names are joined with dots. true and false are texts, null is no value, and
/// an array is left out whole.
/// Names over 128 bytes, with control characters or not in UTF-8 are passed over.
class PageParser {
 public:
    /// The names must live as long as the parser.
    PageParser(std::size_t max_entries, const CountNames& names);
    ~PageParser();
    PageParser(PageParser&&) = delete;

    /// The next bytes; where they were cut makes no difference.
    void feed(std::string_view piece);

    /// The page, once all of it was fed; once only. The error says what the body is instead of a
    /// page.
    Result<WcsPage> finish();

 private:
    class Form;

    std::string head_;  // the first bytes, until they can be told from a byte order mark
    std::unique_ptr<Form> form_;
};

/// The same for a page that is there as a whole.
Result<WcsPage> parse_page(std::string_view body, std::size_t max_entries, const CountNames& names);

/// Adds up the counts of each protocol. A protocol without names counts 0; one of whose names the
/// page has no number from 0 to 10^9 is unknown.
StreamCounts count_streams(const WcsPage& page, const CountNames& names);

}  // namespace wcs_node_agent
