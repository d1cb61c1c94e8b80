// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <span>
#include <string_view>

namespace wcs_node_agent {

/// One file of the status page, built into the program.
struct PageAsset {
    std::string_view path;          // of the HTTP server
    std::string_view content_type;  // with its charset
    std::string_view hash;          // of the body, for its ETag
    std::string_view body;
    std::string_view gzip;  // the body, compressed
};

/// The source is made by cmake/embed.cmake of what lies in page/.
std::span<const PageAsset> page_assets();

}  // namespace wcs_node_agent
