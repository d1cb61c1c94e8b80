// SPDX-License-Identifier: Apache-2.0
#include "wcs/page_entries.hpp"

#include <wcs_node_agent/utf8.hpp>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <utility>
#include <vector>

namespace wcs_node_agent {
namespace {

using Value = PageEntries::Value;

constexpr std::size_t usual_entries = 64;
constexpr std::size_t max_name_bytes = 128;
constexpr std::size_t max_string_bytes = 1024;
constexpr std::size_t max_value_bytes = 4096;

bool is_name(std::string_view text) {
    return !text.empty() && text.size() <= max_name_bytes && is_printable_utf8(text);
}

/// Nothing: not a number as a whole, or past any double. Too small for a double is 0.
Value read_number(std::string_view text) {
    if (text.size() > max_value_bytes) {
        return {};
    }
    double number = 0;
    const char* const end = text.data() + text.size();
    const auto [stopped, error] = std::from_chars(text.data(), end, number);
    if (error == std::errc::result_out_of_range) {  // too large or too small: strtod says which
        number = std::strtod(std::string(text).c_str(), nullptr);
    } else if (error != std::errc()) {
        return {};
    }
    return stopped == end && std::isfinite(number) ? Value(number) : Value();
}

/// Nothing: neither a number nor a string that can be shown.
Value read_value(std::string_view text) {
    auto value = read_number(text);
    if (value == Value() && text.size() <= max_string_bytes && is_printable_utf8(text)) {
        value = std::string(text);
    }
    return value;
}

}  // namespace

/// The names of counts have their slots from the start, besides those that the bound allows.
PageEntries::PageEntries(std::size_t max_entries, const CountNames& names)
    : slots_([&names] {
          decltype(slots_) slots;
          slots.reserve(usual_entries);
          const auto reserve = [&slots](const std::vector<std::string>& list) {
              for (const auto& name : list) {
                  slots.try_emplace(name);
              }
          };
          std::ranges::for_each(names.publishers, reserve);
          std::ranges::for_each(names.subscribers, reserve);
          reserve(names.hls);
          return slots;
      }()),
      max_slots_(slots_.size() + max_entries) {}

void PageEntries::add(std::string_view name, std::string_view value) {
    if (Value* const kept = slot(name)) {
        assign(*kept, read_value(value));
    }
}

void PageEntries::add_number(std::string_view name, std::string_view value) {
    if (Value* const kept = slot(name)) {
        assign(*kept, read_number(value));
    }
}

void PageEntries::leave_out(std::string_view name) {
    if (Value* const kept = slot(name)) {
        assign(*kept, {});
    }
}

WcsPage PageEntries::take() {
    WcsPage page;
    page.left_out = left_out_;
    while (!slots_.empty()) {
        auto slot = slots_.extract(slots_.begin());
        if (const auto* number = std::get_if<double>(&slot.mapped())) {
            page.numbers.emplace(std::move(slot.key()), *number);
        } else if (auto* text = std::get_if<std::string>(&slot.mapped())) {
            page.texts.emplace(std::move(slot.key()), std::move(*text));
        }
    }
    return page;
}

/// Where the value of that name goes. None: it is no name, or all slots are taken, which counts.
Value* PageEntries::slot(std::string_view name) {
    if (!is_name(name)) {
        return nullptr;
    }
    ++found_;
    if (const auto known = slots_.find(name); known != slots_.end()) {
        return &known->second;
    }
    if (slots_.size() < max_slots_) {
        return &slots_.try_emplace(std::string(name)).first->second;
    }
    ++left_out_;
    return nullptr;
}

void PageEntries::assign(Value& kept, Value value) {
    left_out_ += value == Value() ? 1U : 0U;
    kept = std::move(value);
}

}  // namespace wcs_node_agent
