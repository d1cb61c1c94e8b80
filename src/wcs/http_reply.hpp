// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wcs/fetch_error.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace wcs_node_agent {

/// Text of a foreign hand in one short line of printable ASCII.
std::string one_line(std::string_view text);

/// Reads the final HTTP/1 answer to one GET from its bytes, in pieces of any size, with the
/// leniency of curl: a status line without reason or of another version, interim answers (1xx),
/// bare LF, header lines that are none, chunk sizes with blanks or extensions, equal Content-Length
/// lines. A transfer coding wins over a length; a body without either ends with the connection.
///
/// Memory is bounded: of a header or chunk line 4 KiB are kept, of the body max_body bytes. A
/// header (interim answers included) may have 300 KiB, as with curl, the lines between and after
/// chunks 64 KiB each.
class HttpReply {
 public:
    /// What ends the body. Of one that ends with the connection nobody knows whether it was cut.
    enum class BodyEnd { length, chunks, connection };

    explicit HttpReply(std::size_t max_body) : max_body_(max_body) {}

    /// Takes the next bytes; what comes after the body is ignored. The same error again once there
    /// was one.
    std::optional<FetchError> put(std::string_view bytes);

    /// The connection has ended. An error, unless the answer is whole by that.
    std::optional<FetchError> end();

    /// Whether there was a byte at all.
    bool begun() const { return begun_; }

    /// The final header is there: status() and what follows are known.
    bool header_done() const { return state_ >= State::body_to_end; }

    bool done() const { return state_ == State::done; }

    unsigned status() const { return status_; }  // 100 to 999

    /// 200, or 203: the same through a proxy that has changed something (RFC 9110, 15.3.4).
    bool has_page() const { return status_ == 200 || status_ == 203; }

    const std::string& location() const { return location_; }
    const std::string& content_encoding() const { return content_encoding_; }
    const std::string& content_type() const { return content_type_; }

    /// Of the body of what is no page, what came with the end of its header, at most 512 bytes.
    const std::string& excerpt() const { return excerpt_; }

    BodyEnd body_end() const { return body_end_; }
    std::string& body() { return body_; }

 private:
    enum class State {
        status_line,
        header,
        // From here on the header is done.
        body_to_end,
        body_by_length,
        chunk_size,
        chunk_data,
        chunk_end,
        trailer,
        done
    };

    bool reads_lines() const;
    void take_line(std::string_view& bytes);
    void take_body(std::string_view& bytes);
    void end_line();
    void judge_begin();
    void read_status_line();
    void read_header_line();
    void read_field();
    void read_length(std::string_view value);
    void read_transfer_coding(std::string_view list);
    void end_header();
    void begin_body();
    void read_chunk_size();
    void fail(WcsFault fault, std::string text);
    void fail_too_large();

    const std::size_t max_body_;
    State state_ = State::status_line;
    bool begun_ = false;
    std::string line_;             // the beginning of the line that is being read
    std::size_t line_bytes_ = 0;   // all of it so far, with its end
    std::size_t total_bytes_ = 0;  // of the header, or of the trailer
    std::string field_;            // the header line before, which the next one may continue

    unsigned status_ = 0;
    bool chunked_ = false;
    std::optional<std::size_t> length_;
    std::string bad_framing_;     // what is wrong with the length; empty: nothing
    std::string unknown_coding_;  // of the transfer; empty: none
    std::string location_;
    std::string content_encoding_;
    std::string content_type_;
    std::string excerpt_;

    BodyEnd body_end_ = BodyEnd::connection;
    std::size_t left_ = 0;  // of the body or chunk
    std::string body_;
    std::optional<FetchError> error_;
};

}  // namespace wcs_node_agent
