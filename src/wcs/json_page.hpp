// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wcs/page_entries.hpp"

#include <wcs_node_agent/result.hpp>

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace wcs_node_agent {

/// Follows a JSON page. Of a name or value that is not whole yet no more than max_entry_bytes are
/// kept.
class JsonPage {
 public:
    /// The entries must live as long.
    explicit JsonPage(PageEntries& entries);
    ~JsonPage();
    JsonPage(JsonPage&&) = delete;

    void feed(std::string_view piece);
    Result<WcsPage> finish();

 private:
    class Parser;

    void write(bool more, std::string_view piece);

    PageEntries& entries_;
    std::unique_ptr<Parser> parser_;
    std::size_t position_ = 0;  // bytes taken so far
    std::string fault_;
};

}  // namespace wcs_node_agent
