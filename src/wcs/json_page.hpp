// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wcs/page_entries.hpp"

#include <wcs_node_agent/result.hpp>

#include <string_view>

namespace wcs_node_agent {

/// Reads a page in JSON, which begins with a brace, entry by entry, and is lenient within each.
/// Whatever is not `"name": value` up to the next comma or brace of its level is left out, so that
/// no value that others make up, a stream's name say, costs more than its entry. The error says
/// why the body is no page: cut off, more behind its last brace, no value at all. Where the end is
/// known to be that of the page, braces may be too few or too many: a name may have had some.
Result<void> read_json_page(std::string_view body, Ending ending, PageEntries& entries);

}  // namespace wcs_node_agent
