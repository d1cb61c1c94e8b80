// SPDX-License-Identifier: Apache-2.0
#include "wcs/page_entries.hpp"

#include <wcs_node_agent/utf8.hpp>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <string>
#include <utility>
#include <vector>

namespace wcs_node_agent {
namespace {

constexpr std::size_t usual_entries = 64;
constexpr std::size_t max_name_bytes = 128;
constexpr std::size_t max_string_bytes = 1024;
constexpr std::size_t max_value_bytes = 4096;

bool is_name(std::string_view text) {
    return !text.empty() && text.size() <= max_name_bytes && is_printable_utf8(text);
}

/// Where WCS lists streams: texts, even where a name is such that the value reads as a number.
bool lists_streams(std::string_view name) {
    return name == "streams_viewers" || name == "streams_synchronization";
}

/// None: not a number as a whole, or past any double. Too small for a double is 0.
std::optional<double> read_number(std::string_view text) {
    if (text.size() > max_value_bytes) {
        return std::nullopt;
    }
    double number = 0;
    const char* const end = text.data() + text.size();
    const auto [stopped, error] = std::from_chars(text.data(), end, number);
    if (error == std::errc::result_out_of_range) {  // too large or too small: strtod says which
        number = std::strtod(std::string(text).c_str(), nullptr);
    } else if (error != std::errc()) {
        return std::nullopt;
    }
    return stopped == end && std::isfinite(number) ? std::optional(number) : std::nullopt;
}

}  // namespace

/// What is wanted has its slots from the start, besides those that the bound allows.
PageEntries::PageEntries(std::size_t max_entries, const CountNames& names,
                         const std::vector<std::string>& keys)
    : slots_([&] {
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
          reserve(keys);
          return slots;
      }()),
      max_slots_(slots_.size() + max_entries) {}

void PageEntries::add(std::string_view name, std::string_view value) {
    const auto number = read_number(value);
    const bool named = is_name(name);
    if (!number || !named || lists_streams(name)) {
        ++texts_;
    }
    Slot* const kept = named ? slot(name) : nullptr;
    if (kept != nullptr && number) {
        add_to(*kept, {number});
    } else if (kept != nullptr) {
        const bool readable = value.size() <= max_string_bytes && is_printable_utf8(value);
        left_out_ += readable ? 0U : 1U;
        add_text(*kept, value, readable);
    }
}

void PageEntries::add_number(std::string_view name, std::string_view value) {
    if (Slot* const kept = is_name(name) ? slot(name) : nullptr) {
        const auto number = read_number(value);
        add_to(*kept, {number, !number});
    }
}

void PageEntries::leave_out() {
    ++left_out_;
    ++texts_;
}

WcsPage PageEntries::take() {
    WcsPage page;
    page.left_out = left_out_;
    while (!slots_.empty()) {
        auto node = slots_.extract(slots_.begin());
        auto& slot = node.mapped();
        if (const auto numbers = standing(slot); !numbers.empty()) {
            if (numbers.lowest) {
                auto& names = numbers.differ ? page.disputed : page.numbers;
                names.emplace(std::move(node.key()), *numbers.lowest);
            }
        } else if (slot.text && !slot.texts_differ) {
            page.texts.emplace(std::move(node.key()), std::move(*slot.text));
        }
    }
    return page;
}

/// Where the values of that name go. None: all slots are taken, which counts.
PageEntries::Slot* PageEntries::slot(std::string_view name) {
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

void PageEntries::add_to(Slot& slot, const Numbers& number) {
    if (slot.behind_texts != texts_) {
        slot.between_texts.add(std::exchange(slot.behind, {}));
        slot.behind_texts = texts_;
    }
    auto& numbers = texts_ == 0 ? slot.before_texts : slot.behind;
    const bool differed = numbers.differ;
    numbers.add(number);
    left_out_ += numbers.differ && !differed ? 1U : 0U;
}

void PageEntries::add_text(Slot& slot, std::string_view text, bool readable) {
    if (!readable || (slot.text && *slot.text != text)) {
        slot.texts_differ = true;
    } else {
        slot.text = text;
    }
}

PageEntries::Numbers PageEntries::standing(const Slot& slot) const {
    auto own = slot.before_texts;
    auto enclosed = slot.between_texts;
    (slot.behind_texts == texts_ ? own : enclosed).add(slot.behind);
    return own.empty() ? enclosed : own;
}

void PageEntries::Numbers::add(const Numbers& others) {
    differ = differ || others.differ || (lowest && others.lowest && *lowest != *others.lowest);
    if (others.lowest) {
        lowest = std::min(lowest.value_or(*others.lowest), *others.lowest);
    }
}

}  // namespace wcs_node_agent
