// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <wcs_node_agent/wcs_state.hpp>

#include <cstddef>
#include <optional>
#include <string_view>
#include <unordered_map>

namespace wcs_node_agent {

/// A line of text or a JSON string longer than this is not stored to be read.
inline constexpr std::size_t max_entry_bytes = 4096;
inline constexpr std::size_t max_name_bytes = 128;

inline constexpr std::string_view white_space = " \t\r\n";

/// Without white space at either end.
std::string_view trimmed(std::string_view text);

/// Collects the entries of a page, in either of its forms, within the bound.
class PageEntries {
 public:
    /// The names must live as long.
    PageEntries(std::size_t max_entries, const CountNames& names);

    void add(std::string_view name, double number);

    /// The text is a number if the whole of it reads as one.
    void add(std::string_view name, std::string_view text);

    /// An entry whose value was too long to be stored.
    void add_overlong(std::string_view name);

    /// Something that is no entry, yet was to be one.
    void leave_out() { ++page_.left_out; }

    /// The page, if it had a single entry.
    std::optional<WcsPage> take();

 private:
    bool takes(std::string_view name);
    void forget(std::string_view name);

    const std::size_t max_entries_;
    /// Names that have a place: with true those of counts, always; with false others, while in
    /// page_.
    std::unordered_map<std::string_view, bool> places_;
    WcsPage page_;
    bool found_ = false;
};

}  // namespace wcs_node_agent
