// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include <boost/system/error_code.hpp>

namespace wcs_node_agent {

/// Collects a request's header from pieces of any size, as Beast's parser wants it, with what
/// RFC 9112, 2.2 lets a server be lenient about: empty lines before the request, bare LF. What can
/// be no request is known by its first byte or line: a client that speaks something else waits for
/// an answer.
class RequestHeader {
 public:
    /// max_bytes: of the header, and of empty lines before it.
    explicit RequestHeader(std::size_t max_bytes) : max_bytes_(max_bytes) {}

    /// Takes bytes up to the end of the header; returns how many.
    std::size_t put(std::string_view bytes);

    /// Whether there is more than empty lines.
    bool begun() const { return !text_.empty() && text_[0] != '\r'; }

    bool done() const { return done_; }

    /// What is wrong, as an error of boost::beast::http; bad_version: well-formed, but of another
    /// major version than 1.
    const boost::system::error_code& fault() const { return fault_; }

    /// Lines that end with CRLF, an empty one at last.
    const std::string& text() const { return text_; }

 private:
    void end_line();
    void judge_request_line();

    const std::size_t max_bytes_;
    std::string text_;
    std::size_t line_begin_ = 0;
    std::size_t empty_lines_bytes_ = 0;  // before the request line
    bool done_ = false;
    boost::system::error_code fault_;
};

}  // namespace wcs_node_agent
