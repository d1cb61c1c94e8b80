// SPDX-License-Identifier: Apache-2.0
#include "wcs/json_page.hpp"

#include "wcs/white_space.hpp"

#include <algorithm>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <optional>
#include <string>
#include <vector>

#include <boost/locale/utf.hpp>
#include <fmt/format.h>

namespace wcs_node_agent {
namespace {

constexpr std::size_t max_depth = 16;  // objects within each other

/// Stands in a string for what cannot be read. UTF-8 has no such byte, so the string is left out.
constexpr char unreadable = '\xFF';

/// What ends a number or literal.
bool is_delimiter(char c) {
    return is_white_space(c) || c == ',' || c == ':' || c == '{' || c == '}' || c == '[' ||
           c == ']' || c == '"';
}

class JsonReader {
 public:
    JsonReader(std::string_view body, PageEntries& entries) : body_(body), entries_(entries) {}

    /// A name that nobody escaped may close objects, or open some: where the end is known to be
    /// that of the page, its last brace is what counts.
    Result<void> read(Ending ending) {
        std::size_t closed_at = 0;
        open_object();
        for (skip_white_space(); !at_end(); skip_white_space()) {
            if (next() == '}') {
                close_object();
                closed_at = at_;
            } else if (next() == ',') {
                ++at_;
            } else {
                read_entry();
            }
        }
        if (ending == Ending::unknown || !body_.ends_with('}')) {
            const auto rest = trimmed(body_.substr(closed_at));
            if (!key_begins_.empty()) {
                return Error{fmt::format("JSON that is cut off after {} bytes", body_.size())};
            }
            if (!rest.empty()) {
                return Error{fmt::format("not JSON: more after its end, at byte {}",
                                         body_.size() - rest.size() + 1)};
            }
        }
        if (entries_.found() == 0) {
            return Error{"JSON without a single value"};
        }
        return {};
    }

 private:
    /// A name ends at the first quote; a value, which others may have made up, maybe later.
    enum class Ends { at_first_quote, at_closing_quote };

    bool at_end() const { return at_ == body_.size(); }

    /// NUL at the end: no byte that JSON gives a meaning to.
    char next() const { return at_end() ? '\0' : body_[at_]; }

    void skip_white_space() {
        while (!at_end() && is_white_space(body_[at_])) {
            ++at_;
        }
    }

    /// The group, which is the first level's key, is not part of a name.
    void open_object() {
        ++at_;
        if (key_begins_.size() < 2) {
            name_.clear();
        } else {
            name_ += '.';
        }
        key_begins_.push_back(name_.size());
    }

    void close_object() {
        ++at_;
        if (!key_begins_.empty()) {
            key_begins_.pop_back();
        }
    }

    void read_entry() {
        if (!read_name()) {
            entries_.leave_out();
            skip_entry();
            return;
        }
        skip_white_space();
        if (next() == '{' && key_begins_.size() < max_depth) {
            open_object();
        } else if (next() == '{' || next() == '[') {
            entries_.leave_out();
            skip_entry();
        } else {
            read_value();
        }
    }

    bool read_name() {
        if (next() != '"') {
            return false;
        }
        name_.resize(key_begins_.empty() ? 0 : key_begins_.back());
        name_ += take_string(Ends::at_first_quote);
        skip_white_space();
        if (next() != ':') {
            return false;
        }
        ++at_;
        return true;
    }

    void read_value() {
        const bool quoted = next() == '"';
        const auto value = quoted ? trimmed(take_string(Ends::at_closing_quote)) : take_word();
        skip_white_space();
        if (!at_end() && next() != ',' && next() != '}') {
            if (quoted) {
                entries_.leave_out();
            } else {
                entries_.add_number(name_, {});
                entries_.pass_over();  // it may be the rest of a text
            }
            skip_entry();
        } else if (quoted || value == "true" || value == "false") {
            entries_.add(name_, value);
        } else if (value != "null") {
            entries_.add_number(name_, value);
        }
    }

    /// Up to the comma or brace that ends the entry, past strings and whatever is nested.
    void skip_entry() {
        std::size_t depth = 0;
        while (!at_end()) {
            const char c = next();
            if (depth == 0 && (c == ',' || c == '}')) {
                return;
            }
            if (c == '"' && (depth > 0 || !is_closing_quote())) {
                take_string(Ends::at_closing_quote);
                continue;
            }
            if (c == '{' || c == '[') {
                ++depth;
            } else if ((c == '}' || c == ']') && depth > 0) {
                --depth;
            }
            ++at_;
        }
    }

    /// A number or a literal.
    std::string_view take_word() {
        const auto begin = at_;
        while (!at_end() && (!is_delimiter(next()) || is_decimal_comma())) {
            ++at_;
        }
        return body_.substr(begin, at_ - begin);
    }

    /// 0,31 is what a number of some locales looks like. It must not be read as 0.
    bool is_decimal_comma() const {
        const auto comma = body_.substr(at_, 2);
        return comma.size() == 2 && comma[0] == ',' && comma[1] >= '0' && comma[1] <= '9';
    }

    /// The string that begins here, its escapes resolved. The view holds until the next one.
    std::string_view take_string(Ends ends) {
        resolved_.clear();
        auto plain = ++at_;  // where the bytes begin that stand for themselves
        while (!at_end()) {
            const char c = next();
            if (c == '"' && (ends == Ends::at_first_quote || is_closing_quote())) {
                break;
            }
            if (c != '"' && c != '\\') {
                ++at_;
                continue;
            }
            resolved_ += body_.substr(plain, at_ - plain);
            if (c == '"') {
                resolved_ += unreadable;
                ++at_;
            } else {
                resolve_escape();
            }
            plain = at_;
        }
        const auto rest = body_.substr(plain, at_ - plain);
        if (!at_end()) {
            ++at_;
        }
        return resolved_.empty() ? rest : std::string_view(resolved_ += rest);
    }

    /// Whether what comes after this quote may come after a string: not so after one within a
    /// string that nobody escaped.
    bool is_closing_quote() const {
        const auto rest = body_.substr(at_ + 1);
        const auto after = std::ranges::find_if_not(rest, is_white_space);
        return after == rest.end() || *after == ',' || *after == ':' || *after == '}' ||
               *after == ']';
    }

    void resolve_escape() {
        constexpr std::string_view letters = R"("\/bfnrt)";
        constexpr std::string_view meanings = "\"\\/\b\f\n\r\t";
        ++at_;
        const char letter = next();
        if (!at_end()) {
            ++at_;
        }
        if (letter == 'u') {
            resolve_code_point();
        } else if (const auto known = letters.find(letter); known != std::string_view::npos) {
            resolved_ += meanings[known];
        } else {
            resolved_ += unreadable;
        }
    }

    /// One UTF-16 unit, or two escapes that make up a pair. Half a pair becomes the three bytes
    /// that UTF-8 forbids.
    void resolve_code_point() {
        using Utf16 = boost::locale::utf::utf_traits<char16_t>;
        using Utf8 = boost::locale::utf::utf_traits<char>;
        const auto unit = take_hex_digits();
        if (!unit) {
            resolved_ += unreadable;
            return;
        }
        boost::locale::utf::code_point point = *unit;
        if (Utf16::is_first_surrogate(*unit) && body_.substr(at_, 2) == "\\u") {
            const auto second_escape = at_;
            at_ += 2;
            const auto second = take_hex_digits();
            if (second && Utf16::is_second_surrogate(*second)) {
                point = Utf16::combine_surrogate(*unit, *second);
            } else {
                at_ = second_escape;
            }
        }
        Utf8::encode(point, std::back_inserter(resolved_));
    }

    /// Four of them. Where there are fewer, what follows is not theirs: the closing quote maybe.
    std::optional<std::uint16_t> take_hex_digits() {
        const auto digits = body_.substr(at_, 4);
        std::uint16_t unit = 0;
        const char* const end = digits.data() + digits.size();
        const auto stopped = std::from_chars(digits.data(), end, unit, 16).ptr;
        at_ += static_cast<std::size_t>(stopped - digits.data());
        return stopped == end && digits.size() == 4 ? std::optional(unit) : std::nullopt;
    }

    const std::string_view body_;
    PageEntries& entries_;
    std::size_t at_ = 0;
    std::string name_;                     // of the entry, without its group
    std::vector<std::size_t> key_begins_;  // in name_, by level
    std::string resolved_;                 // a string that has escapes
};

}  // namespace

Result<void> read_json_page(std::string_view body, Ending ending, PageEntries& entries) {
    return JsonReader(body, entries).read(ending);
}

}  // namespace wcs_node_agent
