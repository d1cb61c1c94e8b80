// SPDX-License-Identifier: Apache-2.0
#include "wcs/page.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <boost/locale/utf.hpp>
#include <nlohmann/json.hpp>

namespace wcs_node_agent {
namespace {

constexpr std::size_t max_name_bytes = 128;
constexpr std::size_t max_text_bytes = 1024;
constexpr std::size_t max_json_depth = 16;
constexpr double max_streams = 1e9;  // keeps sums exact; no node comes near

constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";
constexpr std::string_view white_space = " \t\r\n";

std::string_view trimmed(std::string_view text) {
    const auto first = text.find_first_not_of(white_space);
    if (first == std::string_view::npos) {
        return {};
    }
    return text.substr(first, text.find_last_not_of(white_space) - first + 1);
}

/// UTF-8 without control characters: what metrics, JSON and a terminal can show as it is.
bool is_printable(std::string_view text) {
    const char* const end = text.data() + text.size();
    const char* at = std::find_if(text.data(), end, [](char c) { return c < ' ' || c > '~'; });
    while (at != end) {  // ASCII, nearly all there is, needs no decoding
        const auto point = boost::locale::utf::utf_traits<char>::decode(at, end);
        if (!boost::locale::utf::is_valid_codepoint(point) || point < 0x20 || point == 0x7f) {
            return false;
        }
    }
    return true;
}

bool is_name(std::string_view text) {
    return !text.empty() && text.size() <= max_name_bytes && is_printable(text);
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

bool is_counted(const CountNames& names, std::string_view name) {
    const auto has = [name](const std::vector<std::string>& list) {
        return std::find(list.begin(), list.end(), name) != list.end();
    };
    return std::any_of(names.publishers.begin(), names.publishers.end(), has) ||
           std::any_of(names.subscribers.begin(), names.subscribers.end(), has) || has(names.hls);
}

template <class Map>
void erase(Map& map, std::string_view name) {
    if (const auto found = map.find(name); found != map.end()) {
        map.erase(found);
    }
}

/// Collects entries within the bound.
class PageBuilder {
 public:
    PageBuilder(std::size_t max_entries, const CountNames& names)
        : max_entries_(max_entries), names_(names) {}

    void add(std::string_view name, double number) {
        if (!is_name(name)) {
            return;
        }
        found_ = true;
        if (!has_room_for(name)) {
            ++page_.left_out;
            return;
        }
        erase(page_.texts, name);
        page_.numbers[std::string(name)] = number;
    }

    void add(std::string_view name, std::string_view value) {
        if (const auto number = to_number(value)) {
            add(name, *number);
            return;
        }
        if (!is_name(name)) {
            return;
        }
        found_ = true;
        erase(page_.numbers, name);
        if (value.size() > max_text_bytes || !is_printable(value) || !has_room_for(name)) {
            erase(page_.texts, name);
            ++page_.left_out;
            return;
        }
        page_.texts[std::string(name)] = value;
    }

    void leave_out() { ++page_.left_out; }

    /// The page, if it had a single entry.
    std::optional<WcsPage> take() {
        return found_ ? std::optional(std::move(page_)) : std::nullopt;
    }

 private:
    bool has_room_for(std::string_view name) const {
        return page_.numbers.size() + page_.texts.size() < max_entries_ ||
               page_.numbers.contains(name) || page_.texts.contains(name) ||
               is_counted(names_, name);
    }

    const std::size_t max_entries_;
    const CountNames& names_;
    WcsPage page_;
    bool found_ = false;
};

Result<WcsPage> parse_text(std::string_view body, PageBuilder builder) {
    while (!body.empty()) {
        const auto end = std::min(body.find('\n'), body.size());
        const auto line = trimmed(body.substr(0, end));
        body.remove_prefix(std::min(end + 1, body.size()));
        const auto equals = line.find('=');
        if (line.starts_with('-') || equals == std::string_view::npos) {
            continue;
        }
        builder.add(trimmed(line.substr(0, equals)), trimmed(line.substr(equals + 1)));
    }
    if (auto page = builder.take()) {
        return std::move(*page);
    }
    return Error{"not a single key=value line"};
}

/// Follows the JSON parser's events. The parser keeps no stack of its own, so depth costs no more
/// than the names on the way down.
class JsonHandler : public nlohmann::json_sax<nlohmann::json> {
 public:
    explicit JsonHandler(PageBuilder builder) : builder_(std::move(builder)) {}

    bool null() override { return true; }

    bool boolean(bool value) override { return add(value ? "true" : "false"); }

    bool number_integer(number_integer_t value) override { return add(static_cast<double>(value)); }

    bool number_unsigned(number_unsigned_t value) override {
        return add(static_cast<double>(value));
    }

    bool number_float(number_float_t value, const string_t&) override { return add(value); }

    bool string(string_t& value) override { return add(trimmed(value)); }

    bool binary(binary_t&) override { return true; }  // not in JSON text

    bool start_object(std::size_t) override {
        if (in_array()) {
            return true;
        }
        path_.emplace_back();
        return depth_is_allowed(path_.size());
    }

    bool key(string_t& name) override {
        if (!in_array()) {
            // Enough of it to see that it is too long: what is below must not copy more.
            path_.back() = name.substr(0, max_name_bytes + 1);
        }
        return true;
    }

    bool end_object() override {
        if (!in_array()) {
            path_.pop_back();
        }
        return true;
    }

    bool start_array(std::size_t) override {
        if (!in_array()) {
            builder_.leave_out();
        }
        ++array_depth_;
        return true;
    }

    bool end_array() override {
        --array_depth_;
        return true;
    }

    bool parse_error(std::size_t position, const std::string&,
                     const nlohmann::json::exception&) override {
        fault_ = "not JSON: syntax error at byte " + std::to_string(position);
        return false;
    }

    Result<WcsPage> result(bool parsed) {
        if (!parsed) {
            return Error{fault_};
        }
        if (auto page = builder_.take()) {
            return std::move(*page);
        }
        return Error{"JSON without a single value"};
    }

 private:
    bool in_array() const { return array_depth_ > 0; }

    bool depth_is_allowed(std::size_t depth) {
        if (depth > max_json_depth) {
            fault_ = "JSON nested deeper than " + std::to_string(max_json_depth) + " levels";
        }
        return depth <= max_json_depth;
    }

    template <class Value>
    bool add(const Value& value) {
        if (!in_array()) {
            builder_.add(name(), value);
        }
        return true;
    }

    /// Where the parser stands, without the group.
    std::string name() const {
        std::string joined = path_.size() > 1 ? path_[1] : path_.front();
        for (std::size_t level = 2; level < path_.size(); ++level) {
            joined += '.' + path_[level];
        }
        return joined;
    }

    PageBuilder builder_;
    std::vector<std::string> path_;
    std::size_t array_depth_ = 0;
    std::string fault_;
};

Result<WcsPage> parse_json(std::string_view body, PageBuilder builder) {
    JsonHandler handler(std::move(builder));
    const bool parsed = nlohmann::json::sax_parse(body, &handler);
    return handler.result(parsed);
}

}  // namespace

Result<WcsPage> parse_page(std::string_view body, std::size_t max_entries,
                           const CountNames& names) {
    if (body.starts_with(byte_order_mark)) {
        body.remove_prefix(byte_order_mark.size());
    }
    body = trimmed(body);
    if (body.empty()) {
        return Error{"empty"};
    }
    if (body.front() == '<') {
        return Error{"an HTML page"};
    }
    if (body.front() == '{') {
        return parse_json(body, PageBuilder(max_entries, names));
    }
    if (body.find('\0') != std::string_view::npos) {
        return Error{"binary data"};
    }
    return parse_text(body, PageBuilder(max_entries, names));
}

StreamCounts count_streams(const WcsPage& page, const CountNames& names) {
    StreamCounts counts;
    const auto sum = [&](const std::vector<std::string>& list) -> std::optional<double> {
        std::optional<double> total = 0;
        for (const auto& name : list) {
            const auto found = page.numbers.find(name);
            if (found == page.numbers.end() || found->second < 0 || found->second > max_streams) {
                total.reset();
                if (counts.missing.empty()) {
                    counts.missing = name;
                }
            } else if (total) {
                *total += found->second;
            }
        }
        return total;
    };
    std::ranges::transform(names.publishers, counts.publishers.begin(), sum);
    std::ranges::transform(names.subscribers, counts.subscribers.begin(), sum);
    counts.hls = sum(names.hls);
    return counts;
}

}  // namespace wcs_node_agent
