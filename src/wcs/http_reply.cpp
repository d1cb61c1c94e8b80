// SPDX-License-Identifier: Apache-2.0
#include "wcs/http_reply.hpp"

#include "wcs/white_space.hpp"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <limits>
#include <utility>

#include <fmt/format.h>

namespace wcs_node_agent {
namespace {

constexpr std::size_t max_header_bytes = 300 << 10;
constexpr std::size_t max_between_chunks = 64 << 10;
constexpr std::size_t max_kept_of_line = 4 << 10;
constexpr std::size_t max_excerpt = 512;

constexpr unsigned switching_protocols = 101;
constexpr unsigned first_final = 200;

constexpr bool is_blank(char c) { return c == ' ' || c == '\t'; }

constexpr bool is_digit(char c) { return c >= '0' && c <= '9'; }

constexpr char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

constexpr bool is_letter_or_digit(char c) {
    return is_digit(c) || (lower(c) >= 'a' && lower(c) <= 'z');
}

/// ASCII letters in either case.
bool is_same(std::string_view a, std::string_view b) {
    return std::ranges::equal(a, b, {}, lower, lower);
}

void skip(std::string_view& text, bool (*matches)(char)) {
    const auto* const end = std::ranges::find_if_not(text, matches);
    text.remove_prefix(static_cast<std::size_t>(end - text.begin()));
}

/// The next element of a list (RFC 9110, 5.6.1), which is taken off.
std::string_view take_element(std::string_view& list) {
    const auto element = list.substr(0, list.find(','));
    list.remove_prefix(std::min(element.size() + 1, list.size()));
    return trimmed(element);
}

/// The number that the text begins with, which is taken off; the greatest, if it is past that.
std::optional<std::size_t> take_number(std::string_view& text, int base) {
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
    if (error == std::errc::invalid_argument) {
        return std::nullopt;
    }
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    return error == std::errc() ? number : std::numeric_limits<std::size_t>::max();
}

}  // namespace

std::string one_line(std::string_view text) {
    std::string line(text.substr(0, 200));
    std::ranges::replace_if(
        line, [](char c) { return c < ' ' || c > '~'; }, '?');
    return line;
}

std::optional<FetchError> HttpReply::put(std::string_view bytes) {
    begun_ = begun_ || !bytes.empty();
    while (!bytes.empty() && !done() && !error_) {
        if (reads_lines()) {
            take_line(bytes);
        } else {
            take_body(bytes);
        }
    }
    if (done() && !has_page()) {
        excerpt_ += bytes.substr(0, max_excerpt - excerpt_.size());
    }
    return error_;
}

std::optional<FetchError> HttpReply::end() {
    if (error_ || done()) {
        return error_;
    }
    if (state_ == State::body_to_end) {
        state_ = State::done;
    } else if (!begun_) {
        fail(WcsFault::truncated, "the connection ended before the answer");
    } else {
        fail(WcsFault::truncated, "the connection ended before the whole page was there");
    }
    return error_;
}

bool HttpReply::reads_lines() const {
    return state_ != State::body_to_end && state_ != State::body_by_length &&
           state_ != State::chunk_data;
}

/// Takes bytes up to the end of the line, or as many as there are. A line ends with LF, whatever
/// CRs are before it.
void HttpReply::take_line(std::string_view& bytes) {
    const auto end = bytes.find('\n');
    const bool whole = end != std::string_view::npos;
    const auto piece = bytes.substr(0, end);
    bytes.remove_prefix(piece.size() + (whole ? 1 : 0));
    line_ += piece.substr(0, max_kept_of_line - line_.size());
    const auto size = piece.size() + (whole ? 1 : 0);
    line_bytes_ += size;
    total_bytes_ += size;

    if (state_ == State::status_line) {
        judge_begin();
    }
    if (!header_done() && total_bytes_ > max_header_bytes) {
        fail(WcsFault::too_large, "the header of the answer is too large");
    }
    if (header_done() && (line_bytes_ > max_between_chunks ||
                          (state_ == State::trailer && total_bytes_ > max_between_chunks))) {
        fail(WcsFault::too_large, "a line between chunks of the answer is too long");
    }
    if (whole && !error_) {
        end_line();
        line_.clear();
        line_bytes_ = 0;
    }
}

void HttpReply::end_line() {
    while (line_.ends_with('\r')) {
        line_.pop_back();
    }
    switch (state_) {
        case State::status_line:
            if (!line_.empty()) {
                read_status_line();
            }
            break;
        case State::header:
            read_header_line();
            break;
        case State::chunk_size:
            read_chunk_size();
            break;
        case State::chunk_end:
            if (line_.empty()) {
                state_ = State::chunk_size;
            } else {
                fail(WcsFault::not_a_page, "not HTTP: a chunk is longer than its size says");
            }
            break;
        case State::trailer:
            state_ = line_.empty() ? State::done : State::trailer;
            break;
        default:
            break;
    }
}

/// What is no HTTP is known from its first bytes. A line end may never come.
void HttpReply::judge_begin() {
    constexpr std::string_view name = "HTTP/";
    constexpr char tls_alert = '\x15';  // the record with which a TLS server refuses plain HTTP
    const auto begin = std::string_view(line_).substr(0, name.size());
    if (begin.starts_with(tls_alert)) {
        fail(WcsFault::not_a_page, "TLS, not plain HTTP: write https:// in place of http://");
    } else if (!begin.starts_with('\r') && !is_same(begin, name.substr(0, begin.size()))) {
        fail(WcsFault::not_a_page, "not HTTP: no status line");
    }
}

void HttpReply::read_status_line() {
    std::string_view rest = line_;
    rest.remove_prefix(std::min(rest.find('/') + 1, rest.size()));
    const auto version = rest;
    skip(rest, [](char c) { return is_digit(c) || c == '.'; });
    const bool has_version = rest.size() < version.size();
    const auto blanks = rest;
    skip(rest, is_blank);
    const bool has_blanks = rest.size() < blanks.size();
    const auto digits = rest.substr(0, 3);
    const bool longer = rest.size() > 3 && is_digit(rest[3]);
    if (!has_version || !has_blanks || longer || digits.size() < 3 || digits[0] == '0' ||
        !std::ranges::all_of(digits, is_digit)) {
        fail(WcsFault::not_a_page, "not HTTP: a bad status line");
        return;
    }
    std::from_chars(digits.data(), digits.data() + digits.size(), status_);
    state_ = State::header;
}

/// A line that begins with a blank continues the one before (RFC 9112, 5.2).
void HttpReply::read_header_line() {
    if (!line_.empty() && is_blank(line_[0])) {
        if (!field_.empty()) {
            field_ += line_.substr(0, max_kept_of_line - field_.size());
        }
        return;
    }
    read_field();
    field_ = line_;
    if (line_.empty()) {
        end_header();
    }
}

void HttpReply::read_field() {
    const std::string_view field = field_;
    const auto colon = field.find(':');
    if (colon == std::string_view::npos) {
        return;
    }
    const auto name = trimmed(field.substr(0, colon));
    const auto value = trimmed(field.substr(colon + 1));
    if (is_same(name, "Content-Length")) {
        read_length(value);
    } else if (is_same(name, "Transfer-Encoding")) {
        read_transfer_coding(value);
    } else if (is_same(name, "Content-Encoding") && !is_same(value, "identity")) {
        content_encoding_ = value;
    } else if (is_same(name, "Content-Type")) {
        content_type_ = value;
    } else if (is_same(name, "Location")) {
        location_ = value;
    }
}

/// Several equal lengths are one (RFC 9110, 8.6).
void HttpReply::read_length(std::string_view value) {
    const auto list = value;
    do {
        auto element = take_element(value);
        element.remove_prefix(element.starts_with('+') ? 1 : 0);
        const auto length = take_number(element, 10);
        if (!length) {
            bad_framing_ = fmt::format("a length that is none, '{}'", one_line(list));
        } else if (length_ && *length_ != *length) {
            bad_framing_ = fmt::format("two lengths, {} and {}", *length_, *length);
        }
        length_ = length;
    } while (!value.empty());
}

void HttpReply::read_transfer_coding(std::string_view list) {
    while (!list.empty()) {
        const auto element = take_element(list);
        const auto coding = trimmed(element.substr(0, element.find(';')));
        if (is_same(coding, "chunked")) {
            chunked_ = true;
        } else if (!coding.empty() && !is_same(coding, "identity")) {
            unknown_coding_ = coding;
        }
    }
}

/// The body of what is no page is not read.
void HttpReply::end_header() {
    const bool interim = status_ < first_final && status_ != switching_protocols;
    if (interim) {
        state_ = State::status_line;
        chunked_ = false;
        length_.reset();
        bad_framing_.clear();
        unknown_coding_.clear();
        content_encoding_.clear();
        content_type_.clear();
        location_.clear();
    } else if (has_page()) {
        begin_body();
    } else {
        state_ = State::done;
    }
}

void HttpReply::begin_body() {
    if (!unknown_coding_.empty()) {
        fail(WcsFault::not_a_page, fmt::format("Transfer-Encoding: {}, which was not asked for",
                                               one_line(unknown_coding_)));
    } else if (chunked_) {
        body_end_ = BodyEnd::chunks;
        state_ = State::chunk_size;
    } else if (!bad_framing_.empty()) {
        fail(WcsFault::not_a_page, "not HTTP: " + bad_framing_);
    } else if (!length_) {
        state_ = State::body_to_end;
    } else if (*length_ > max_body_) {
        fail_too_large();
    } else {
        body_end_ = BodyEnd::length;
        left_ = *length_;
        state_ = left_ > 0 ? State::body_by_length : State::done;
    }
}

/// What follows the digits, an extension or blanks, says nothing of the page.
void HttpReply::read_chunk_size() {
    std::string_view rest = line_;
    skip(rest, is_blank);
    const auto size = take_number(rest, 16);
    const bool cut = rest.empty() && line_.size() == max_kept_of_line;
    if (!size || cut || (!rest.empty() && is_letter_or_digit(rest[0]))) {
        fail(WcsFault::not_a_page, "not HTTP: a chunk without size");
    } else if (*size > max_body_ - body_.size()) {
        fail_too_large();
    } else if (*size == 0) {
        total_bytes_ = 0;
        state_ = State::trailer;
    } else {
        left_ = *size;
        state_ = State::chunk_data;
    }
}

void HttpReply::take_body(std::string_view& bytes) {
    if (state_ == State::body_to_end) {
        if (bytes.size() > max_body_ - body_.size()) {
            fail_too_large();
            return;
        }
        left_ = bytes.size();
    }
    const auto piece = bytes.substr(0, left_);
    body_ += piece;
    bytes.remove_prefix(piece.size());
    left_ -= piece.size();
    if (left_ == 0 && state_ == State::body_by_length) {
        state_ = State::done;
    } else if (left_ == 0 && state_ == State::chunk_data) {
        state_ = State::chunk_end;
    }
}

void HttpReply::fail(WcsFault fault, std::string text) {
    if (!error_) {
        error_ = FetchError{fault, std::move(text)};
    }
}

void HttpReply::fail_too_large() {
    fail(WcsFault::too_large, fmt::format("the page is larger than {} bytes", max_body_));
}

}  // namespace wcs_node_agent
