// SPDX-License-Identifier: Apache-2.0
#include "wcs/http_reply.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/beast/core/string.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

using namespace wcs_node_agent;

namespace {

namespace http = boost::beast::http;

constexpr std::size_t max_body = 512;
constexpr std::size_t max_kept_of_line = 4096;

void require(bool holds) {
    if (!holds) std::abort();
}

struct Reading {
    HttpReply reply{max_body};
    std::optional<FetchError> error;
};

/// An answer that comes in pieces of that size, after which the connection ends.
Reading read(std::string_view bytes, std::size_t piece) {
    Reading reading;
    while (!bytes.empty() && !reading.error) {
        const auto next = bytes.substr(0, piece);
        reading.error = reading.reply.put(next);
        bytes.remove_prefix(next.size());
    }
    if (!reading.error) reading.error = reading.reply.end();
    return reading;
}

void require_same(Reading a, Reading b) {
    require(a.error.has_value() == b.error.has_value());
    if (a.error) {
        require(a.error->fault == b.error->fault && a.error->text == b.error->text);
        return;
    }
    require(a.reply.done() && b.reply.done());
    require(a.reply.status() == b.reply.status());
    require(a.reply.location() == b.reply.location());
    require(a.reply.content_encoding() == b.reply.content_encoding());
    require(a.reply.body_end() == b.reply.body_end());
    require(a.reply.body() == b.reply.body());
}

/// The body of an answer 200 that is a whole message to a strict parser. None: it is none, or has a
/// transfer coding besides chunks, which that parser does not look at.
std::optional<std::string> strict_body(std::string_view bytes) {
    http::response_parser<http::string_body> parser;
    parser.eager(true);
    parser.body_limit(max_body);
    boost::system::error_code error;
    while (!parser.is_done() && !error) {
        const auto size = parser.put(boost::asio::buffer(bytes.data(), bytes.size()), error);
        if (error == http::error::need_more || (!error && size == 0)) break;
        bytes.remove_prefix(size);
    }
    if (error == http::error::need_more) error = {};
    if (!error && parser.is_header_done() && !parser.is_done() && bytes.empty())
        parser.put_eof(error);
    if (error || !parser.is_done() || parser.get().result_int() != 200) return std::nullopt;
    for (const auto& field : parser.get()) {
        const bool is_coding = field.name() == http::field::transfer_encoding;
        if (is_coding && !boost::beast::iequals(field.value(), "chunked")) return std::nullopt;
    }
    return std::move(parser.get().body());
}

}  // namespace

/// The first byte says in how large pieces the others come. In whichever pieces, the same comes of
/// them, within the bounds, and what a strict parser takes for a whole message is one.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
    auto whole = read(bytes, std::string_view::npos);
    require_same(whole, read(bytes, std::size_t{data[0]} % 64 + 1));
    require(whole.error || whole.reply.status() >= 101);
    require(!whole.error || (whole.error->fault != WcsFault::none && !whole.error->text.empty()));
    require(whole.reply.body().size() <= max_body);
    require(whole.reply.location().size() <= max_kept_of_line);
    if (const auto body = strict_body(bytes))
        require(!whole.error && whole.reply.status() == 200 && whole.reply.body() == *body);
    return 0;
}
