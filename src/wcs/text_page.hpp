// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wcs/page_entries.hpp"

#include <wcs_node_agent/result.hpp>

#include <string>
#include <string_view>

namespace wcs_node_agent {

/// Follows a text page, line by line. Of a line that is not whole yet no more than max_entry_bytes
/// are kept.
class TextPage {
 public:
    /// The entries must live as long.
    explicit TextPage(PageEntries& entries) : entries_(entries) {}

    void feed(std::string_view piece);
    Result<WcsPage> finish();

 private:
    void keep(std::string_view part);

    PageEntries& entries_;
    std::string line_;  // what came of a line whose end did not
    bool binary_ = false;
};

}  // namespace wcs_node_agent
