// SPDX-License-Identifier: Apache-2.0
#include "wcs/http_reply.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace wcs_node_agent {
namespace {

using testing::HasSubstr;

constexpr std::size_t max_body = 1000;

/// What comes of an answer that arrives in pieces of that size, after which the connection ends.
struct Reading {
    HttpReply reply{max_body};
    std::optional<FetchError> error;

    Reading(std::string_view bytes, std::size_t piece) {
        for (; !bytes.empty() && !error; bytes.remove_prefix(std::min(piece, bytes.size()))) {
            error = reply.put(bytes.substr(0, piece));
        }
        if (!error) {
            error = reply.end();
        }
    }
};

constexpr std::size_t pieces[] = {std::string::npos, 1, 2, 3, 7};

const std::string ok = "HTTP/1.1 200 OK\r\n";
const std::string length = "Content-Length: 9\r\n";
const std::string chunked = "Transfer-Encoding: chunked\r\n";
const std::string page = "a=1\nb=22\n";
const std::string in_chunks = "4\r\na=1\n\r\n5\r\nb=22\n\r\n0\r\n\r\n";

std::string chunk(const std::string& size_line) {
    return ok + chunked + "\r\n" + size_line + "\r\n" + page + "\r\n0\r\n\r\n";
}

TEST(HttpReply, ReadsWhatCurlReads) {
    const std::string many_fields(30'000, 'x');
    std::string hints;
    for (int number = 0; number < 1000; ++number) {
        hints += "HTTP/1.1 103 Early Hints\r\nLink: </s.css>; rel=preload\r\n\r\n";
    }
    const struct {
        const char* shows;
        std::string bytes;
    } rows[] = {
        {"a length", ok + length + "\r\n" + page},
        {"no length", ok + "\r\n" + page},
        {"chunks", ok + chunked + "\r\n" + in_chunks},
        {"no reason", "HTTP/1.1 200\r\n" + length + "\r\n" + page},
        {"an empty reason", "HTTP/1.1 200 \r\n" + length + "\r\n" + page},
        {"a reason of odd bytes", "HTTP/1.1 200 \xff\x01\r\n" + length + "\r\n" + page},
        {"a reason without blank", "HTTP/1.1 200OK\r\n" + length + "\r\n" + page},
        {"two blanks", "HTTP/1.1  200 OK\r\n" + length + "\r\n" + page},
        {"HTTP/1.0", "HTTP/1.0 200 OK\r\n\r\n" + page},
        {"HTTP/1.0 with chunks", "HTTP/1.0 200 OK\r\n" + chunked + "\r\n" + in_chunks},
        {"HTTP/1.2", "HTTP/1.2 200 OK\r\n" + length + "\r\n" + page},
        {"HTTP/2", "HTTP/2 200\r\n" + length + "\r\n" + page},
        {"HTTP/2.0 with chunks", "HTTP/2.0 200 OK\r\n" + chunked + "\r\n" + in_chunks},
        {"HTTP/3", "HTTP/3 200\r\n" + length + "\r\n" + page},
        {"a page that a proxy changed", "HTTP/1.1 203 X\r\n" + length + "\r\n" + page},
        {"lower case", "http/1.1 200 ok\r\ncontent-length: 9\r\n\r\n" + page},
        {"an empty line first", "\r\n" + ok + length + "\r\n" + page},
        {"early hints", "HTTP/1.1 103 Early Hints\r\nLink: </s.css>; rel=preload\r\n\r\n" + ok +
                            length + "\r\n" + page},
        {"several interim answers",
         "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102\n\nHTTP/1.1 103 Early Hints\r\n"
         "Content-Length: x\r\nTransfer-Encoding: chunked\r\nContent-Encoding: gzip\r\n\r\n" +
             ok + "\r\n" + page},
        {"a thousand of them", hints + ok + length + "\r\n" + page},
        {"bare LF", "HTTP/1.1 200 OK\nContent-Length: 9\n\n" + page},
        {"bare LF after the status line", "HTTP/1.1 200 OK\n" + length + "\r\n" + page},
        {"CR CR LF", "HTTP/1.1 200 OK\r\r\nContent-Length: 9\r\r\n\r\n" + page},
        {"bare LF between chunks",
         "HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n4\na=1\n\n5\nb=22\n\n0\n\n"},
        {"a field of 30,000 bytes", ok + "X: " + many_fields + "\r\n" + length + "\r\n" + page},
        {"a header of 270,000 bytes", ok +
                                          [&] {
                                              std::string fields;
                                              for (int number = 0; number < 9; ++number) {
                                                  fields += "X: " + many_fields + "\r\n";
                                              }
                                              return fields;
                                          }() +
                                          length + "\r\n" + page},
        {"a token that is none", ok + "Connection: a@b\r\n" + length + "\r\n" + page},
        {"a line without colon", ok + "oops\r\n" + length + "\r\n" + page},
        {"a field without name", ok + ": oops\r\n" + length + "\r\n" + page},
        {"odd bytes", ok + std::string("\xff\x01(\0x): \0\x7f\r\n", 12) + length + "\r\n" + page},
        {"a CR in a value", ok + "X: a\rb\r\n" + length + "\r\n" + page},
        {"a blank before the colon", ok + "Content-Length : 9\r\n\r\n" + page},
        {"a folded field", ok + "X: Content-\r\n Length: 3\r\n" + length + "\r\n" + page},
        {"a folded length", ok + "Content-Length:\r\n\t9\r\n\r\n" + page},
        {"a fold of nothing", ok + "  Content-Length: 3\r\n" + length + "\r\n" + page},
        {"a fold of blanks is not the end", ok + "X: a\r\n \r\n" + length + "\r\n" + page},
        {"blanks around the length", ok + "Content-Length: \t 9 \t\r\n\r\n" + page},
        {"no blank before the length", ok + "Content-Length:9\r\n\r\n" + page},
        {"leading zeros", ok + "Content-Length: " + std::string(99, '0') + "9\r\n\r\n" + page},
        {"a plus sign", ok + "Content-Length: +9\r\n\r\n" + page},
        {"more than a number", ok + "Content-Length: 9 bytes\r\n\r\n" + page},
        {"the same length twice", ok + length + length + "\r\n" + page},
        {"a list of the same length", ok + "Content-Length: 9, 9\r\n\r\n" + page},
        {"bytes after the body", ok + length + "\r\n" + page + "more"},
        {"chunks and a length", ok + chunked + "Content-Length: 3\r\n\r\n" + in_chunks},
        {"a length and chunks", ok + "Content-Length: x\r\n" + chunked + "\r\n" + in_chunks},
        {"chunks named twice", ok + chunked + chunked + "\r\n" + in_chunks},
        {"a list of chunks", ok + "TRANSFER-ENCODING: identity, CHUNKED,\r\n\r\n" + in_chunks},
        {"the coding identity", ok + "Transfer-Encoding: identity\r\n" + length + "\r\n" + page},
        {"no coding", ok + "Transfer-Encoding:\r\n" + length + "\r\n" + page},
        {"a chunk size with blanks", chunk("9 \t ")},
        {"a chunk size after a blank", chunk(" 9")},
        {"a chunk size of leading zeros", chunk(std::string(40, '0') + "9")},
        {"a chunk extension", chunk("9;a=b;c=\"d;\"")},
        {"a chunk extension of 20,000 bytes", chunk("9;" + std::string(20'000, 'x'))},
        {"something after a chunk size", chunk("9 \xff junk")},
        {"a chunk size in capitals", ok + chunked + "\r\n0009\r\n" + page + "\r\n000\r\n\r\n"},
        {"trailers", ok + chunked + "\r\n9\r\n" + page + "\r\n0\r\nX: y\r\noops\r\n\r\n"},
    };
    for (const auto& row : rows) {
        for (const auto piece : pieces) {
            SCOPED_TRACE(row.shows + std::string(", in pieces of ") + std::to_string(piece));
            Reading reading(row.bytes, piece);
            ASSERT_FALSE(reading.error) << reading.error->text;
            EXPECT_TRUE(reading.reply.done());
            EXPECT_TRUE(reading.reply.has_page());
            EXPECT_EQ(reading.reply.body(), page);
        }
    }
}

TEST(HttpReply, Faults) {
    const std::string megabyte(1 << 20, 'x');
    std::string hints;
    std::string trailers;
    for (int number = 0; number < 20'000; ++number) {
        hints += "HTTP/1.1 103 Early Hints\r\n\r\n";
        trailers += "X: y\r\n";
    }
    const struct {
        const char* shows;
        std::string bytes;
        WcsFault fault;
        const char* text;
    } rows[] = {
        {"nothing", "", WcsFault::truncated, "ended before the answer"},
        {"an end in the status line", "HTTP/1.1 20", WcsFault::truncated, "before the whole page"},
        {"an end after the status line", ok, WcsFault::truncated, "before the whole page"},
        {"an end in the header", ok + length, WcsFault::truncated, "before the whole page"},
        {"an end after an interim answer", "HTTP/1.1 100 Continue\r\n\r\n", WcsFault::truncated,
         "before the whole page"},
        {"an end in the body", ok + length + "\r\na=1\nb=2", WcsFault::truncated,
         "before the whole page"},
        {"an end in a chunk", ok + chunked + "\r\n9\r\na=1\nb=22", WcsFault::truncated,
         "before the whole page"},
        {"an end between chunks", ok + chunked + "\r\n9\r\n" + page + "\r\n", WcsFault::truncated,
         "before the whole page"},
        {"an end before the last empty line", ok + chunked + "\r\n9\r\n" + page + "\r\n0\r\n",
         WcsFault::truncated, "before the whole page"},
        {"another protocol", "SSH-2.0-OpenSSH_9.2", WcsFault::not_a_page, "not HTTP"},
        {"another protocol that has a status line", "ICY 200 OK\r\n\r\n" + page,
         WcsFault::not_a_page, "not HTTP"},
        {"a page without header", page, WcsFault::not_a_page, "not HTTP"},
        {"TLS", std::string("\x15\x03\x01\0\x02\x02\x0a", 7), WcsFault::not_a_page,
         "TLS, not plain HTTP"},
        {"no version", "HTTP/ 200 OK\r\n\r\n", WcsFault::not_a_page, "a bad status line"},
        {"no status", "HTTP/1.1\r\n\r\n", WcsFault::not_a_page, "a bad status line"},
        {"a status of two digits", "HTTP/1.1 20 OK\r\n\r\n", WcsFault::not_a_page,
         "a bad status line"},
        {"a status of four digits", "HTTP/1.1 2000 OK\r\n\r\n", WcsFault::not_a_page,
         "a bad status line"},
        {"a status below 100", "HTTP/1.1 020 OK\r\n\r\n", WcsFault::not_a_page,
         "a bad status line"},
        {"a length that is none", ok + "Content-Length: x\r\n\r\n", WcsFault::not_a_page,
         "not HTTP: a length that is none, 'x'"},
        {"a negative length", ok + "Content-Length: -9\r\n\r\n", WcsFault::not_a_page,
         "a length that is none"},
        {"an empty length", ok + "Content-Length:\r\n\r\n", WcsFault::not_a_page,
         "a length that is none"},
        {"two lengths", ok + length + "Content-Length: 3\r\n\r\n" + page, WcsFault::not_a_page,
         "not HTTP: two lengths, 9 and 3"},
        {"two lengths in a list", ok + "Content-Length: 3, 9\r\n\r\n" + page, WcsFault::not_a_page,
         "two lengths"},
        {"a length over the bound", ok + "Content-Length: 1001\r\n\r\n", WcsFault::too_large,
         "larger than 1000 bytes"},
        {"a length past any number", ok + "Content-Length: " + std::string(99, '9') + "\r\n\r\n",
         WcsFault::too_large, "larger than 1000 bytes"},
        {"a body over the bound", ok + "\r\n" + std::string(1001, 'x'), WcsFault::too_large,
         "larger than 1000 bytes"},
        {"a chunk over the bound", ok + chunked + "\r\nffffffffffffffffff\r\n", WcsFault::too_large,
         "larger than 1000 bytes"},
        {"chunks over the bound",
         ok + chunked + "\r\n3e8\r\n" + std::string(1000, 'x') + "\r\n1\r\nx\r\n0\r\n\r\n",
         WcsFault::too_large, "larger than 1000 bytes"},
        {"a coding that nobody asked for", ok + "Transfer-Encoding: gzip, chunked\r\n\r\n",
         WcsFault::not_a_page, "Transfer-Encoding: gzip, which was not asked for"},
        {"a chunk without size", ok + chunked + "\r\n\r\n", WcsFault::not_a_page,
         "a chunk without size"},
        {"a chunk size with a sign", chunk("-9"), WcsFault::not_a_page, "a chunk without size"},
        {"a chunk size with a prefix", chunk("0x9"), WcsFault::not_a_page, "a chunk without size"},
        {"a chunk size of 5,000 digits", chunk(std::string(5000, '0') + "9"), WcsFault::not_a_page,
         "a chunk without size"},
        {"a chunk longer than its size", chunk("7"), WcsFault::not_a_page,
         "longer than its size says"},
        {"a status line without end", "HTTP/1.1 200 " + megabyte, WcsFault::too_large, "header"},
        {"a field without end", ok + "X: " + megabyte, WcsFault::too_large, "header"},
        {"empty lines without end", std::string(1 << 20, '\n'), WcsFault::too_large, "header"},
        {"interim answers without end", hints, WcsFault::too_large, "header"},
        {"a chunk extension without end", ok + chunked + "\r\n1;" + megabyte, WcsFault::too_large,
         "a line between chunks"},
        {"a trailer without end", ok + chunked + "\r\n0\r\nX: " + megabyte, WcsFault::too_large,
         "a line between chunks"},
        {"trailers without end", ok + chunked + "\r\n0\r\n" + trailers, WcsFault::too_large,
         "a line between chunks"},
    };
    for (const auto& row : rows) {
        for (const auto piece : pieces) {
            SCOPED_TRACE(row.shows + std::string(", in pieces of ") + std::to_string(piece));
            const Reading reading(row.bytes, piece);
            ASSERT_TRUE(reading.error);
            EXPECT_EQ(to_string(reading.error->fault), to_string(row.fault));
            EXPECT_THAT(reading.error->text, HasSubstr(row.text));
        }
    }
}

TEST(HttpReply, SaysWhatEndedTheBody) {
    const std::pair<std::string, HttpReply::BodyEnd> rows[] = {
        {ok + length + "\r\n" + page, HttpReply::BodyEnd::length},
        {ok + chunked + "\r\n" + in_chunks, HttpReply::BodyEnd::chunks},
        {ok + "\r\n" + page, HttpReply::BodyEnd::connection},
    };
    for (const auto& [bytes, body_end] : rows) {
        SCOPED_TRACE(bytes);
        HttpReply reply(max_body);
        EXPECT_FALSE(reply.put(bytes));
        EXPECT_EQ(reply.done(), body_end != HttpReply::BodyEnd::connection);
        EXPECT_FALSE(reply.end());
        EXPECT_TRUE(reply.done());
        EXPECT_EQ(reply.body_end(), body_end);
    }
}

/// So it is known without a body that may never come.
TEST(HttpReply, AnotherStatusIsTheEnd) {
    for (const std::string status : {"101", "204", "206", "302", "500", "999"}) {
        SCOPED_TRACE(status);
        HttpReply reply(max_body);
        EXPECT_FALSE(reply.put("HTTP/1.1 " + status + " X\r\nLocation: /elsewhere\r\n" + length));
        EXPECT_FALSE(reply.header_done());
        EXPECT_FALSE(reply.put("\r\n"));
        EXPECT_TRUE(reply.header_done());
        EXPECT_TRUE(reply.done());
        EXPECT_EQ(std::to_string(reply.status()), status);
        EXPECT_EQ(reply.location(), "/elsewhere");
    }
}

TEST(HttpReply, SaysHowTheBodyIsEncoded) {
    HttpReply reply(max_body);
    EXPECT_FALSE(reply.put(ok + "Content-Encoding: gzip\r\nContent-Encoding: identity\r\n\r\n"));
    EXPECT_EQ(reply.content_encoding(), "gzip");
}

}  // namespace
}  // namespace wcs_node_agent
