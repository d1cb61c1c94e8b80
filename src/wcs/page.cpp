// SPDX-License-Identifier: Apache-2.0
#include "wcs/page.hpp"

#include "wcs/json_page.hpp"
#include "wcs/white_space.hpp"

#include <algorithm>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>

namespace wcs_node_agent {
namespace {

constexpr double max_streams = 1e9;  // keeps sums exact; no node comes near

constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";

void read_line(std::string_view line, PageEntries& entries) {
    line = trimmed(line);
    const auto equals = line.find('=');
    const bool is_header = line.starts_with('-');
    if (!is_header && equals != std::string_view::npos) {
        entries.add(trimmed(line.substr(0, equals)), trimmed(line.substr(equals + 1)));
    } else if (!line.empty() && !(is_header && line.ends_with('-'))) {
        entries.pass_over();
    }
}

/// A NUL costs its own line, unless the first and most of what is there have some: then it is no
/// text at all. The last line of a page that was cut is left out.
Result<void> read_text_page(std::string_view body, bool cut, PageEntries& entries) {
    const bool begins_binary = body.substr(0, body.find('\n')).find('\0') != std::string_view::npos;
    std::size_t binary_lines = 0;
    while (!body.empty()) {
        const auto line = body.substr(0, body.find('\n'));
        const bool unfinished = cut && line.size() == body.size();
        body.remove_prefix(std::min(line.size() + 1, body.size()));
        binary_lines += line.find('\0') != std::string_view::npos ? 1U : 0U;
        if (unfinished) {
            entries.leave_out();
        } else {
            read_line(line, entries);
        }
    }
    if (begins_binary && binary_lines > entries.found()) {
        return Error{"binary data"};
    }
    if (entries.found() == 0) {
        return Error{"not a single key=value line"};
    }
    return {};
}

std::optional<double> streams_of(const std::map<std::string, double, std::less<>>& numbers,
                                 const std::string& name) {
    const auto found = numbers.find(name);
    const bool is_count =
        found != numbers.end() && found->second >= 0 && found->second <= max_streams;
    return is_count ? std::optional(found->second) : std::nullopt;
}

}  // namespace

Result<WcsPage> parse_page(std::string_view body, Ending ending, std::size_t max_entries,
                           const CountNames& names, const std::vector<std::string>& keys) {
    if (body.starts_with(byte_order_mark)) {
        body.remove_prefix(byte_order_mark.size());
    }
    const bool cut = ending == Ending::unknown && !body.ends_with('\n');
    body = trimmed(body);
    if (body.empty()) {
        return Error{"empty"};
    }
    if (body.starts_with('<')) {
        return Error{"an HTML page"};
    }
    PageEntries entries(max_entries, names, keys);
    const auto read = body.starts_with('{') ? read_json_page(body, ending, entries)
                                            : read_text_page(body, cut, entries);
    if (!read) {
        return read.error();
    }
    return entries.take();
}

StreamCounts count_streams(const WcsPage& page, const CountNames& names) {
    StreamCounts counts;
    const auto sum = [&](const std::vector<std::string>& list,
                         std::optional<double>& at_least) -> std::optional<double> {
        std::optional<double> total = 0;
        for (const auto& name : list) {
            const auto known = streams_of(page.numbers, name);
            if (!known) {
                total.reset();
                if (counts.missing.empty()) {
                    counts.missing = name;
                }
            } else if (total) {
                *total += *known;
            }
            if (const auto least = known ? known : streams_of(page.disputed, name)) {
                at_least = at_least.value_or(0) + *least;
            }
        }
        return total;
    };
    std::ranges::transform(names.publishers, counts.publishers.begin(),
                           [&](const auto& list) { return sum(list, counts.publishers_at_least); });
    std::ranges::transform(names.subscribers, counts.subscribers.begin(), [&](const auto& list) {
        return sum(list, counts.subscribers_at_least);
    });
    counts.hls = sum(names.hls, counts.hls_at_least);
    return counts;
}

std::string missing_number_text(const WcsPage& page, const std::string& name) {
    return fmt::format("the page has {} named '{}'",
                       page.disputed.contains(name) ? "different numbers" : "no number", name);
}

}  // namespace wcs_node_agent
