// SPDX-License-Identifier: Apache-2.0
#include "http/request_header.hpp"

#include <algorithm>

#include <boost/beast/http/error.hpp>

namespace wcs_node_agent {
namespace {

namespace http = boost::beast::http;

constexpr std::string_view line_end = "\r\n";

/// A byte that a method may have (RFC 9110, 5.6.2).
bool is_token_byte(char c) {
    constexpr std::string_view marks = "!#$%&'*+-.^_`|~";
    return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
           marks.find(c) != std::string_view::npos;
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

/// `HTTP/` and a number of one digit, or two with a dot in between.
bool is_version(std::string_view text) {
    constexpr std::string_view name = "HTTP/";
    if (!text.starts_with(name)) return false;
    text.remove_prefix(name.size());
    return (text.size() == 1 || (text.size() == 3 && text[1] == '.' && is_digit(text[2]))) &&
           is_digit(text[0]);
}

}  // namespace

std::size_t RequestHeader::put(std::string_view bytes) {
    const auto size = bytes.size();
    while (!bytes.empty() && !done_ && !fault_) {
        const auto end = bytes.find('\n');
        text_ += bytes.substr(0, end);
        bytes.remove_prefix(end == std::string_view::npos ? bytes.size() : end + 1);
        const bool only_empty = text_.empty() || text_ == "\r";
        if (!only_empty && !is_token_byte(text_[0])) {
            fault_ = http::error::bad_method;
        } else if (text_.size() > max_bytes_) {
            fault_ = http::error::header_limit;
        } else if (end != std::string_view::npos) {
            end_line();
        }
    }
    return size - bytes.size();
}

void RequestHeader::end_line() {
    if (text_.size() > line_begin_ && text_.back() == '\r') text_.pop_back();
    const auto line = std::string_view(text_).substr(line_begin_);
    if (line_begin_ == 0 && line.empty()) {
        empty_lines_bytes_ += line_end.size();
        if (empty_lines_bytes_ > max_bytes_) fault_ = http::error::header_limit;
        return;
    }
    if (line_begin_ == 0) {
        judge_request_line();
    } else if (line.starts_with(' ') || line.starts_with('\t')) {
        fault_ = http::error::bad_obs_fold;  // RFC 9112, 5.2
    }
    done_ = line.empty();
    text_ += line_end;
    line_begin_ = text_.size();
}

/// A minor version that is not known is spoken to as 1.1 (RFC 9110, 2.5).
void RequestHeader::judge_request_line() {
    const auto spaces = std::ranges::count(text_, ' ');
    const auto version_begin = text_.rfind(' ') + 1;
    const auto version = std::string_view(text_).substr(version_begin);
    if (spaces != 2 || !is_version(version)) {
        fault_ = http::error::bad_target;
    } else if (!version.starts_with("HTTP/1")) {
        fault_ = http::error::bad_version;
    } else if (version != "HTTP/1.0") {
        text_.replace(version_begin, std::string::npos, "HTTP/1.1");
    }
}

}  // namespace wcs_node_agent
