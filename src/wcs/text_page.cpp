// SPDX-License-Identifier: Apache-2.0
#include "wcs/text_page.hpp"

#include <utility>

namespace wcs_node_agent {
namespace {

void add_line(std::string_view whole, PageEntries& entries) {
    const bool overlong = whole.size() > max_entry_bytes;
    const auto line = trimmed(whole.substr(0, max_entry_bytes));
    const auto equals = line.find('=');
    if (line.starts_with('-') || equals == std::string_view::npos) {
        return;
    }
    const auto name = trimmed(line.substr(0, equals));
    if (overlong) {
        entries.add_overlong(name);
    } else {
        entries.add(name, trimmed(line.substr(equals + 1)));
    }
}

}  // namespace

void TextPage::feed(std::string_view piece) {
    binary_ = binary_ || piece.find('\0') != std::string_view::npos;
    if (binary_) {
        return;
    }
    for (auto end = piece.find('\n'); end != std::string_view::npos; end = piece.find('\n')) {
        if (line_.empty()) {
            add_line(piece.substr(0, end), entries_);
        } else {
            keep(piece.substr(0, end));
            add_line(line_, entries_);
            line_.clear();
        }
        piece.remove_prefix(end + 1);
    }
    keep(piece);
}

Result<WcsPage> TextPage::finish() {
    if (binary_) {
        return Error{"binary data"};
    }
    add_line(line_, entries_);
    if (auto page = entries_.take()) {
        return std::move(*page);
    }
    return Error{"not a single key=value line"};
}

/// One byte more than may be: enough to see that the line is too long.
void TextPage::keep(std::string_view part) {
    line_.append(part.substr(0, max_entry_bytes + 1 - line_.size()));
}

}  // namespace wcs_node_agent
