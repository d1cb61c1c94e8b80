// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <wcs_node_agent/wcs_state.hpp>

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <variant>

namespace wcs_node_agent {

/// Collects the entries of a page, in either of its forms, within the bound.
class PageEntries {
 public:
    /// Nothing: left out.
    using Value = std::variant<std::monostate, double, std::string>;

    PageEntries(std::size_t max_entries, const CountNames& names);

    /// A value that reads as a number as a whole is one, any other a string.
    void add(std::string_view name, std::string_view value);

    /// A value that must be a number, else it is left out.
    void add_number(std::string_view name, std::string_view value);

    /// An entry whose value cannot be kept; one that came before under its name is dropped.
    void leave_out(std::string_view name);

    /// Something that was to be an entry.
    void leave_out() { ++left_out_; }

    /// Entries with a name that can be shown, those left out included.
    std::size_t found() const { return found_; }

    WcsPage take();

 private:
    struct Hash : std::hash<std::string_view> {
        using is_transparent = void;
    };

    Value* slot(std::string_view name);
    void assign(Value& kept, Value value);

    std::unordered_map<std::string, Value, Hash, std::equal_to<>> slots_;
    const std::size_t max_slots_;
    std::size_t found_ = 0;
    std::size_t left_out_ = 0;
};

}  // namespace wcs_node_agent
