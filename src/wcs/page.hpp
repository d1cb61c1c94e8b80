// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wcs/page_entries.hpp"

#include <wcs_node_agent/result.hpp>
#include <wcs_node_agent/wcs_state.hpp>

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace wcs_node_agent {

/// Parses a statistics page, text or JSON. At most max_entries entries are kept, and besides them
/// every name that a count needs, and each of `keys`. The rest is counted in left_out: what is past
/// that bound, values over 4 KiB, strings over 1 KiB, with control characters or not in UTF-8, and
/// whatever cannot be read. A bad entry costs itself and no other. Of duplicate names equal values
/// count, different ones are disputed: see PageEntries.
///
/// Text: lines that begin with `-` are section headers, the others `key=value`, split at the first
/// `=`. A value is a number only if the whole of it reads as one; a sign `+` does not. Where the
/// ending is unknown, a last line without its end is left out.
/// JSON: the first level is the group, whose name is dropped, so that the names are those of the
/// text page; below it, names are joined with dots. true and false are strings, null is no value,
/// an array or an object below the 16th level is left out whole.
/// Names over 128 bytes, with control characters or not in UTF-8 are passed over.
///
/// The error says what the body is instead of a page. JSON that is cut off is no page.
Result<WcsPage> parse_page(std::string_view body, Ending ending, std::size_t max_entries,
                           const CountNames& names, const std::vector<std::string>& keys = {});

/// Adds up the counts of each protocol. A protocol without names counts 0; one of whose names the
/// page has no number from 0 to 10^9 is unknown.
StreamCounts count_streams(const WcsPage& page, const CountNames& names);

/// That the page has no number of this name, or different ones, in words.
std::string missing_number_text(const WcsPage& page, const std::string& name);

}  // namespace wcs_node_agent
