// SPDX-License-Identifier: Apache-2.0
#include "wcs/json_page.hpp"

#include <charconv>
#include <cmath>
#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

#include <boost/json/basic_parser_impl.hpp>
#include <fmt/format.h>

namespace wcs_node_agent {

namespace json = boost::json;
using json::error_code;

namespace {

constexpr std::size_t max_json_depth = 16;

/// Nothing of an array is kept, so its levels cost no more than the parser's own recursion.
constexpr std::size_t max_parser_depth = 256;

constexpr std::size_t unlimited = std::numeric_limits<std::size_t>::max();

/// A JSON number in full, to the nearest double: 0 where it is too small, none where it is too
/// large.
std::optional<double> nearest(std::string_view text, double approximate) {
    double number = 0;
    const auto result = std::from_chars(text.data(), text.data() + text.size(), number);
    if (result.ec == std::errc()) {
        return number;
    }
    return std::abs(approximate) < 1 ? std::optional(0.0) : std::nullopt;
}

/// What the parser tells of, put under its name on the text page.
class Handler {
 public:
    static constexpr std::size_t max_object_size = unlimited;
    static constexpr std::size_t max_array_size = unlimited;
    static constexpr std::size_t max_key_size = unlimited;
    static constexpr std::size_t max_string_size = unlimited;

    explicit Handler(PageEntries& entries) : entries_(entries) {}

    bool on_document_begin(error_code&) { return true; }
    bool on_document_end(error_code&) { return true; }

    bool on_object_begin(error_code& error) {
        if (in_array()) {
            return true;
        }
        if (key_begins_.size() == max_json_depth) {
            error = json::error::too_deep;
            return false;
        }
        if (key_begins_.size() < 2) {  // the group is not part of the name
            name_.clear();
        } else {
            append_to_name(".");
        }
        key_begins_.push_back(name_.size());
        return true;
    }

    bool on_object_end(std::size_t, error_code&) {
        if (!in_array()) {
            key_begins_.pop_back();
        }
        return true;
    }

    bool on_array_begin(error_code&) {
        if (!in_array()) {
            entries_.leave_out();
        }
        ++array_depth_;
        return true;
    }

    bool on_array_end(std::size_t, error_code&) {
        --array_depth_;
        return true;
    }

    bool on_key_part(std::string_view part, std::size_t, error_code&) { return keep(part); }

    bool on_key(std::string_view last, std::size_t, error_code&) {
        const auto key = whole(last);
        if (!in_array()) {
            name_.resize(key_begins_.back());
            append_to_name(key);
        }
        return forget_parts();
    }

    bool on_string_part(std::string_view part, std::size_t, error_code&) { return keep(part); }

    bool on_string(std::string_view last, std::size_t, error_code&) {
        const auto text = whole(last);
        if (text.size() > max_entry_bytes) {
            add_overlong();
        } else {
            add(trimmed(text));
        }
        return forget_parts();
    }

    bool on_number_part(std::string_view part, error_code&) { return keep(part); }

    bool on_int64(std::int64_t number, std::string_view, error_code&) {
        add(static_cast<double>(number));
        return forget_parts();
    }

    bool on_uint64(std::uint64_t number, std::string_view, error_code&) {
        add(static_cast<double>(number));
        return forget_parts();
    }

    /// The parser's own figure can be off in the last place, and differently so in several parts.
    bool on_double(double approximate, std::string_view last, error_code& error) {
        const auto text = whole(last);
        const auto number =
            text.size() > max_entry_bytes ? approximate : nearest(text, approximate);
        if (!number || !std::isfinite(*number)) {
            error = json::error::exponent_overflow;
            return false;
        }
        if (text.size() > max_entry_bytes) {
            add_overlong();
        } else {
            add(*number);
        }
        return forget_parts();
    }

    bool on_bool(bool value, error_code&) {
        add(value ? std::string_view("true") : std::string_view("false"));
        return true;
    }

    bool on_null(error_code&) { return true; }
    bool on_comment_part(std::string_view, error_code&) { return true; }
    bool on_comment(std::string_view, error_code&) { return true; }

    bool in_array() const { return array_depth_ > 0; }

 private:
    template <class Value>
    void add(Value value) {
        if (!in_array()) {
            entries_.add(name_, value);
        }
    }

    void add_overlong() {
        if (!in_array()) {
            entries_.add_overlong(name_);
        }
    }

    /// One byte more than a name may have: enough to see that it is too long.
    void append_to_name(std::string_view part) {
        name_.append(part.substr(0, max_name_bytes + 1 - name_.size()));
    }

    /// One byte more than is read, likewise.
    bool keep(std::string_view part) {
        parts_.append(part.substr(0, max_entry_bytes + 1 - parts_.size()));
        return true;
    }

    std::string_view whole(std::string_view last) {
        if (parts_.empty()) {
            return last;
        }
        keep(last);
        return parts_;
    }

    bool forget_parts() {
        parts_.clear();
        return true;
    }

    PageEntries& entries_;
    std::string name_;                     // where the parser stands, without the group
    std::vector<std::size_t> key_begins_;  // in name_, by level
    std::size_t array_depth_ = 0;
    std::string parts_;  // of a key, a text or a number that is not whole yet
};

}  // namespace

class JsonPage::Parser : public json::basic_parser<Handler> {
 public:
    using basic_parser::basic_parser;
};

JsonPage::JsonPage(PageEntries& entries) : entries_(entries) {
    json::parse_options options;  // strict, but for the depth
    options.max_depth = max_parser_depth;
    parser_ = std::make_unique<Parser>(options, entries);
}

JsonPage::~JsonPage() = default;

void JsonPage::feed(std::string_view piece) {
    if (!piece.empty()) {
        write(true, piece);
    }
}

Result<WcsPage> JsonPage::finish() {
    write(false, std::string_view(""));
    if (!fault_.empty()) {
        return Error{fault_};
    }
    if (auto page = entries_.take()) {
        return std::move(*page);
    }
    return Error{"JSON without a single value"};
}

/// The place told can be off by the length of a literal or a character that a piece ended in.
void JsonPage::write(bool more, std::string_view piece) {
    if (!fault_.empty()) {
        return;
    }
    error_code error;
    const auto taken = parser_->write_some(more, piece.data(), piece.size(), error);
    position_ += taken;
    if (error == json::error::too_deep && !parser_->handler().in_array()) {
        fault_ = fmt::format("JSON nested deeper than {} levels", max_json_depth);
    } else if (error == json::error::too_deep) {
        fault_ = fmt::format("not JSON: nested too deep at byte {}", position_ + 1);
    } else if (error || taken < piece.size()) {
        fault_ = fmt::format("not JSON: syntax error at byte {}", position_ + 1);
    }
}

}  // namespace wcs_node_agent
