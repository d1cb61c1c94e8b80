// SPDX-License-Identifier: Apache-2.0
#include "cli/top/frame.hpp"

namespace wcs_node_agent {

std::string plain_text(const Frame& frame) {
    std::string text;
    for (const Line& line : frame) {
        for (const Span& span : line) text += span.text;
        text.erase(text.find_last_not_of(' ') + 1);
        text += '\n';
    }
    return text;
}

}  // namespace wcs_node_agent
