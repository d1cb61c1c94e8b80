// SPDX-License-Identifier: Apache-2.0
#include "wcs/page_entries.hpp"

#include <wcs_node_agent/utf8.hpp>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <utility>
#include <vector>

namespace wcs_node_agent {
namespace {

constexpr std::size_t max_text_bytes = 1024;

bool is_name(std::string_view text) {
    return !text.empty() && text.size() <= max_name_bytes && is_printable_utf8(text);
}

std::optional<double> to_number(std::string_view text) {
    double number = 0;
    const char* const end = text.data() + text.size();
    const auto [stopped, error] = std::from_chars(text.data(), end, number);
    if (error != std::errc() || stopped != end || !std::isfinite(number)) {
        return std::nullopt;
    }
    return number;
}

template <class Map>
void erase(Map& map, std::string_view name) {
    if (const auto found = map.find(name); found != map.end()) {
        map.erase(found);
    }
}

}  // namespace

std::string_view trimmed(std::string_view text) {
    const auto first = text.find_first_not_of(white_space);
    if (first == std::string_view::npos) {
        return {};
    }
    return text.substr(first, text.find_last_not_of(white_space) - first + 1);
}

PageEntries::PageEntries(std::size_t max_entries, const CountNames& names)
    : max_entries_(max_entries) {
    const auto reserve = [this](const std::vector<std::string>& list) {
        for (const auto& name : list) {
            places_.emplace(name, true);
        }
    };
    std::ranges::for_each(names.publishers, reserve);
    std::ranges::for_each(names.subscribers, reserve);
    reserve(names.hls);
}

void PageEntries::add(std::string_view name, double number) {
    if (takes(name)) {
        forget(name);
        places_.emplace(page_.numbers.emplace(name, number).first->first, false);
    }
}

void PageEntries::add(std::string_view name, std::string_view text) {
    if (!takes(name)) {
        return;
    }
    forget(name);
    if (const auto number = to_number(text)) {
        places_.emplace(page_.numbers.emplace(name, *number).first->first, false);
    } else if (text.size() <= max_text_bytes && is_printable_utf8(text)) {
        places_.emplace(page_.texts.emplace(name, text).first->first, false);
    } else {
        ++page_.left_out;
    }
}

void PageEntries::add_overlong(std::string_view name) {
    if (takes(name)) {
        forget(name);
        ++page_.left_out;
    }
}

std::optional<WcsPage> PageEntries::take() {
    return found_ ? std::optional(std::move(page_)) : std::nullopt;
}

/// Whether an entry of that name has a place. One that has none is counted.
bool PageEntries::takes(std::string_view name) {
    if (!is_name(name)) {
        return false;
    }
    found_ = true;
    if (page_.numbers.size() + page_.texts.size() < max_entries_ || places_.contains(name)) {
        return true;
    }
    ++page_.left_out;
    return false;
}

/// The last value of a name replaces the one before, of whichever kind.
void PageEntries::forget(std::string_view name) {
    const auto place = places_.find(name);
    if (place == places_.end()) {
        return;
    }
    if (!place->second) {
        places_.erase(place);
    }
    erase(page_.numbers, name);
    erase(page_.texts, name);
}

}  // namespace wcs_node_agent
