// SPDX-License-Identifier: Apache-2.0
#include "config/limit_values.hpp"

#include "config/config_values.hpp"
#include "config/json_value.hpp"
#include "config/value_text.hpp"

#include <wcs_node_agent/verdict.hpp>

#include <algorithm>
#include <array>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace wcs_node_agent {
namespace {

constexpr std::size_t most_own_limits = 32;
constexpr std::size_t longest_own_name = 64;  // a reply has 200 bytes
constexpr double highest_number = 1e15;       // exact in a double, and a petabyte
constexpr double highest_percentage = 1000;   // 150 % of the processors is a load

std::optional<double> as_percent(const Json& value) {
    return value.is_string() ? parse_percent(value.get_ref<const std::string&>()) : std::nullopt;
}

bool is_own(const Limit& limit) { return limit.value == LimitValue::page; }

bool is_lower_or_digit(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }

Result<std::string_view> read_name(const Json& value, const Limits& others) {
    auto text = read_string(value);
    if (!text) {
        return text;
    }
    const auto may_be_in_a_name = [](char c) { return is_lower_or_digit(c) || c == '_'; };
    const bool begins_with_letter = text->front() >= 'a' && text->front() <= 'z';
    if (!begins_with_letter || text->size() > longest_own_name ||
        !std::ranges::all_of(*text, may_be_in_a_name)) {
        return must_be(fmt::format("a letter and then letters, digits or _, all lower case, at "
                                   "most {} characters",
                                   longest_own_name),
                       value);
    }
    if (std::ranges::find(causes::all, *text) != causes::all.end())
        return Error{fmt::format("\"{}\" is another reason for which a node may be down", *text)};
    const auto taken = std::ranges::find(others, *text, &Limit::name);
    if (taken != others.end()) {
        return Error{fmt::format("\"{}\" {}", *text,
                                 taken->value == LimitValue::page
                                     ? "listed twice"
                                     : "is a limit that the agent has already")};
    }
    return text;
}

ConfigErrors set_keys(std::vector<std::string>& keys, const Json& value) {
    if (value.is_array() && value.empty()) {
        return one_error(Error{"must name at least one number of the page"});
    }
    return set_names(keys, value);
}

/// With `of` a percentage of its sum, without it a number; none for "off" and 0.
Result<std::optional<LimitMaximum>> read_own_maximum(const Json& value, bool has_of) {
    if (value == "off") {
        return std::nullopt;
    }
    const auto percent = as_percent(value);
    const auto number = percent ? percent : as_number(value);
    if (percent && !has_of) {
        return Error{
            fmt::format("{} is a percentage, and there is no `of` that it is of", value.dump())};
    }
    const bool is_off = number == 0.0;
    const bool is_form = has_of ? percent || is_off : number.has_value();
    if (!is_form || *number < 0 || *number > (has_of ? highest_percentage : highest_number)) {
        return has_of ? must_be(fmt::format("a percentage of the sum of `of`, such as \"80%\", "
                                            "greater than 0 and up to \"{}\", or \"off\"",
                                            percent_text(highest_percentage)),
                                value)
                      : must_be(fmt::format("a number greater than 0 and up to {:.0f}, or \"off\"",
                                            highest_number),
                                value);
    }
    return is_off ? std::nullopt : std::optional(LimitMaximum(*number));
}

template <class Field, class Value>
ConfigErrors assign_to(Field& field, Result<Value> value) {
    if (!value) {
        return one_error(std::move(value).error());
    }
    field = std::move(*value);
    return {};
}

/// others: those that were read before.
ConfigErrors read_own_limit(Limit& limit, const Json& entry, const Limits& others) {
    static constexpr std::array<std::string_view, 5> members{"name", "value", "of", "max", "soft"};
    if (!entry.is_object()) {
        return one_error(must_be("an object with \"name\", \"value\" and \"max\"", entry));
    }
    const bool has_of = entry.contains("of");
    ConfigErrors errors = for_each_key(entry, members, [&](std::size_t member, const Json& value) {
        switch (member) {
            case 0:
                return assign_to(limit.name, read_name(value, others));
            case 1:
                return set_keys(limit.keys, value);
            case 2:
                return set_keys(limit.of, value);
            case 3:
                return assign_to(limit.maximum, read_own_maximum(value, has_of));
            default:
                return assign_to(limit.soft, read_switch(value));
        }
    });
    for (const char* needed : {"name", "value", "max"}) {
        if (!entry.contains(needed)) {
            append_below(errors, needed, one_error(Error{"is missing"}));
        }
    }
    limit.unit = has_of ? LimitUnit::percent : LimitUnit::number;
    return errors;
}

}  // namespace

Result<std::optional<LimitMaximum>> read_maximum(const Json& value, LimitUnit unit) {
    if (value == "off") {
        return std::nullopt;
    }
    const bool may_be_share = unit == LimitUnit::megabits_per_second;
    const auto share = may_be_share ? as_percent(value) : std::nullopt;
    const auto number = share ? share : as_number(value);
    const double highest = unit == LimitUnit::percent ? 100 : 1e9;
    if (!number || *number < 0 || *number > (share ? 100 : highest)) {
        return must_be(
            fmt::format("a number greater than 0 and up to {}, {}or \"off\"", highest,
                        may_be_share ? "a share of the link's speed up to \"100%\", " : ""),
            value);
    }
    if (*number == 0) {
        return std::nullopt;
    }
    return share ? LimitMaximum::share_of_link(*share) : LimitMaximum(*number);
}

Json show_maximum(const std::optional<LimitMaximum>& maximum) {
    if (!maximum) {
        return Json("off");
    }
    return maximum->is_share ? Json(percent_text(maximum->value)) : show_number(maximum->value);
}

ConfigErrors set_own_limits(Config& config, const Json& value) {
    if (!value.is_array()) {
        return one_error(must_be("an array of objects", value));
    }
    if (value.size() > most_own_limits) {
        return one_error(Error{
            fmt::format("must have at most {} limits, not {}", most_own_limits, value.size())});
    }
    Limits limits = config.limits;
    std::erase_if(limits, is_own);
    ConfigErrors errors;
    for (std::size_t i = 0; i < value.size(); ++i) {
        Limit limit{.name = {}, .value = LimitValue::page, .unit = LimitUnit::number};
        append_below(errors, std::to_string(i), read_own_limit(limit, value[i], limits));
        limits.push_back(std::move(limit));
    }
    if (errors.empty()) {
        config.limits = std::move(limits);
    }
    return errors;
}

Json show_own_limits(const Config& config) {
    Json shown = Json::array();
    for (const auto& limit : config.limits) {
        if (!is_own(limit)) {
            continue;
        }
        Json& entry = shown.emplace_back(Json{{"name", limit.name}, {"value", limit.keys}});
        if (!limit.of.empty()) {
            entry["of"] = limit.of;
        }
        entry["max"] = limit.maximum && !limit.of.empty() ? Json(percent_text(limit.maximum->value))
                                                          : show_maximum(limit.maximum);
        entry["soft"] = limit.soft;
    }
    return shown;
}

}  // namespace wcs_node_agent
