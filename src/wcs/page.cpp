// SPDX-License-Identifier: Apache-2.0
#include "wcs/page.hpp"

#include "wcs/json_page.hpp"
#include "wcs/page_entries.hpp"
#include "wcs/text_page.hpp"

#include <algorithm>
#include <optional>
#include <variant>
#include <vector>

namespace wcs_node_agent {
namespace {

constexpr double max_streams = 1e9;  // keeps sums exact; no node comes near

constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";

}  // namespace

/// What the page turns out to be: its first byte past the white space tells.
class PageParser::Form {
 public:
    Form(std::size_t max_entries, const CountNames& names) : entries_(max_entries, names) {}

    void feed(std::string_view piece) {
        if (std::holds_alternative<Blank>(form_)) {
            piece.remove_prefix(std::min(piece.find_first_not_of(white_space), piece.size()));
            if (piece.empty()) {
                return;
            }
            begin(piece.front());
        }
        std::visit([piece](auto& form) { form.feed(piece); }, form_);
    }

    Result<WcsPage> finish() {
        return std::visit([](auto& form) { return form.finish(); }, form_);
    }

 private:
    struct Blank {
        void feed(std::string_view) {}
        Result<WcsPage> finish() { return Error{"empty"}; }
    };

    struct Html {
        void feed(std::string_view) {}
        Result<WcsPage> finish() { return Error{"an HTML page"}; }
    };

    void begin(char first) {
        if (first == '<') {
            form_.emplace<Html>();
        } else if (first == '{') {
            form_.emplace<JsonPage>(entries_);
        } else {
            form_.emplace<TextPage>(entries_);
        }
    }

    PageEntries entries_;
    std::variant<Blank, Html, TextPage, JsonPage> form_;
};

PageParser::PageParser(std::size_t max_entries, const CountNames& names)
    : form_(std::make_unique<Form>(max_entries, names)) {}

PageParser::~PageParser() = default;

void PageParser::feed(std::string_view piece) {
    if (head_.size() < byte_order_mark.size()) {
        const auto missing = piece.substr(0, byte_order_mark.size() - head_.size());
        head_ += missing;
        piece.remove_prefix(missing.size());
        if (head_.size() == byte_order_mark.size() && head_ != byte_order_mark) {
            form_->feed(head_);
        }
    }
    form_->feed(piece);
}

Result<WcsPage> PageParser::finish() {
    if (head_.size() < byte_order_mark.size()) {
        form_->feed(head_);
    }
    return form_->finish();
}

Result<WcsPage> parse_page(std::string_view body, std::size_t max_entries,
                           const CountNames& names) {
    PageParser parser(max_entries, names);
    parser.feed(body);
    return parser.finish();
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
