// SPDX-License-Identifier: Apache-2.0
#include "http/media_type.hpp"

#include <algorithm>
#include <charconv>
#include <optional>

#include <boost/beast/core/string.hpp>

namespace wcs_node_agent {

namespace {

using boost::beast::iequals;

struct Format {
    std::string_view type;
    std::string_view any_subtype;
    std::string_view version;
    std::string_view older_version;  // or the same again
};

constexpr Format open_metrics{"application/openmetrics-text", "application/*", "1.0.0", "0.0.1"};
constexpr Format prometheus_text{"text/plain", "text/*", "0.0.4", "0.0.4"};

/// media-range [";" "version" "=" version] [";" "q" "=" qvalue]; other parameters say nothing here.
struct Range {
    std::string_view type;
    std::string_view version;
    double quality = 1;
};

/// How much a format is wanted, by the most precise range that it matches.
struct Wish {
    int precision = 0;  // 0 no match, 1 */*, 2 type/*, 3 type/subtype, 4 type/subtype;version
    double quality = 0;
};

std::string_view trimmed(std::string_view text) {
    constexpr std::string_view space = " \t";
    const auto first = std::min(text.find_first_not_of(space), text.size());
    text.remove_prefix(first);
    return text.substr(0, text.find_last_not_of(space) + 1);
}

/// Takes off the text up to the separator, which goes too.
std::string_view take_until(std::string_view& rest, char separator) {
    const auto end = std::min(rest.find(separator), rest.size());
    const auto taken = rest.substr(0, end);
    rest.remove_prefix(std::min(end + 1, rest.size()));
    return trimmed(taken);
}

std::string_view unquoted(std::string_view text) {
    if (text.size() >= 2 && text.front() == '"' && text.back() == '"')
        return text.substr(1, text.size() - 2);
    return text;
}

std::optional<double> parse_quality(std::string_view text) {
    double quality = 0;
    const auto [end, error] = std::from_chars(text.begin(), text.end(), quality);
    if (error != std::errc() || end != text.end() || !(quality >= 0 && quality <= 1)) return {};
    return quality;
}

std::optional<Range> parse_range(std::string_view text) {
    Range range;
    range.type = take_until(text, ';');
    while (!text.empty()) {
        std::string_view value = take_until(text, ';');
        const std::string_view name = take_until(value, '=');
        value = trimmed(value);
        if (iequals(name, "version")) range.version = unquoted(value);
        if (!iequals(name, "q")) continue;
        const auto quality = parse_quality(value);
        if (!quality) return {};
        range.quality = *quality;
    }
    return range;
}

int precision(const Range& range, const Format& format) {
    if (range.type == "*/*") return 1;
    if (iequals(range.type, format.any_subtype)) return 2;
    if (!iequals(range.type, format.type)) return 0;
    if (range.version.empty()) return 3;
    const bool known = range.version == format.version || range.version == format.older_version;
    return known ? 4 : 0;
}

Wish wish_for(const Format& format, std::string_view accept) {
    Wish wish;
    while (!accept.empty()) {
        const auto range = parse_range(take_until(accept, ','));
        if (!range) continue;
        const int how = precision(*range, format);
        if (how == 0 || how < wish.precision) continue;
        if (how > wish.precision || range->quality > wish.quality) wish = {how, range->quality};
    }
    return wish;
}

}  // namespace

bool prefers_open_metrics(std::string_view accept) {
    const Wish open = wish_for(open_metrics, accept);
    const Wish text = wish_for(prometheus_text, accept);
    if (open.quality != text.quality) return open.quality > text.quality;
    return open.quality > 0 && open.precision > text.precision;
}

bool accepts_gzip(std::string_view accept_encoding) {
    while (!accept_encoding.empty()) {
        const auto coding = parse_range(take_until(accept_encoding, ','));
        if (coding && iequals(coding->type, "gzip")) return coding->quality > 0;
    }
    return false;
}

}  // namespace wcs_node_agent
