// SPDX-License-Identifier: Apache-2.0
#include "process/log_line.hpp"

#include <wcs_node_agent/utf8.hpp>

#include <fmt/format.h>

namespace wcs_node_agent {

namespace {

/// C0 and C1 controls, DEL, and the separators that some programs take for line ends.
bool is_control(boost::locale::utf::code_point point) {
    return point < 0x20 || (point >= 0x7f && point < 0xa0) || point == 0x2028 || point == 0x2029;
}

}  // namespace

std::string printable_line(std::string_view text) {
    std::string line;
    line.reserve(text.size());
    while (!text.empty()) {
        const auto before = text;
        const auto point = take_code_point(text);
        const auto bytes = before.substr(0, before.size() - text.size());
        if (boost::locale::utf::is_valid_codepoint(point) && !is_control(point)) {
            line += bytes;
            continue;
        }
        for (const char byte : bytes)
            line += fmt::format("\\x{:02x}", static_cast<unsigned char>(byte));
    }
    return line;
}

}  // namespace wcs_node_agent
