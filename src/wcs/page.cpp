// SPDX-License-Identifier: Apache-2.0
#include "wcs/page.hpp"

#include "wcs/json_page.hpp"
#include "wcs/page_entries.hpp"
#include "wcs/white_space.hpp"

#include <algorithm>
#include <optional>
#include <string>
#include <vector>

namespace wcs_node_agent {
namespace {

constexpr double max_streams = 1e9;  // keeps sums exact; no node comes near

constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";

void read_line(std::string_view line, PageEntries& entries) {
    line = trimmed(line);
    const auto equals = line.find('=');
    if (!line.starts_with('-') && equals != std::string_view::npos) {
        entries.add(trimmed(line.substr(0, equals)), trimmed(line.substr(equals + 1)));
    }
}

/// A NUL costs its own line, unless most of what is there has some: then it is no text at all.
Result<void> read_text_page(std::string_view body, PageEntries& entries) {
    std::size_t binary_lines = 0;
    while (!body.empty()) {
        const auto line = body.substr(0, body.find('\n'));
        body.remove_prefix(std::min(line.size() + 1, body.size()));
        binary_lines += line.find('\0') != std::string_view::npos ? 1U : 0U;
        read_line(line, entries);
    }
    if (binary_lines > entries.found()) {
        return Error{"binary data"};
    }
    if (entries.found() == 0) {
        return Error{"not a single key=value line"};
    }
    return {};
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
    if (body.starts_with('<')) {
        return Error{"an HTML page"};
    }
    PageEntries entries(max_entries, names);
    const auto read =
        body.starts_with('{') ? read_json_page(body, entries) : read_text_page(body, entries);
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
            const auto found = page.numbers.find(name);
            if (found == page.numbers.end() || found->second < 0 || found->second > max_streams) {
                total.reset();
                if (counts.missing.empty()) {
                    counts.missing = name;
                }
                continue;
            }
            at_least = at_least.value_or(0) + found->second;
            if (total) {
                *total += found->second;
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

}  // namespace wcs_node_agent
