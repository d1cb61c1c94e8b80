// SPDX-License-Identifier: Apache-2.0
#include "wcs/client.hpp"

#include "unit/wcs/support.hpp"

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <thread>

#include <boost/asio/read_until.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace wcs_node_agent::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::StartsWith;

constexpr std::size_t max_bytes = 1 << 20;

class FetchFromSimulator : public testing::Test {
 protected:
    void SetUp() override {
        const auto started = simulator_.start();
        ASSERT_TRUE(started) << started.error().what;
    }

    FetchResult fetch(const sim::Setting& fault, std::chrono::nanoseconds within = timeout) {
        EXPECT_TRUE(simulator_.set({&fault, 1}));
        return test::fetch(io_, page_url(simulator_), within, max_bytes);
    }

    asio::io_context io_;
    sim::Simulator simulator_{io_.get_executor(), simulator_options()};
};

TEST_F(FetchFromSimulator, GetsThePage) {
    const auto body = fetch({"streams_hls", "7"});
    ASSERT_TRUE(body) << body.error().text;
    EXPECT_THAT(body->body,
                AllOf(StartsWith("-----Connection Stats-----\n"), HasSubstr("\nstreams_hls=7\n")));
}

TEST_F(FetchFromSimulator, WaitsForASlowAnswer) {
    const auto body = fetch({"delay_ms", "50"});
    EXPECT_TRUE(body) << body.error().text;
}

TEST_F(FetchFromSimulator, Faults) {
    const struct {
        sim::Setting fault;
        std::chrono::milliseconds within;
        WcsFault kind;
        const char* text;
    } rows[] = {
        {{"status", "500"}, timeout, WcsFault::http_status, "HTTP 500 Internal Server Error"},
        {{"status", "302"},
         timeout,
         WcsFault::http_status,
         "HTTP 302 Found, to /elsewhere, not followed"},
        {{"status", "204"}, timeout, WcsFault::http_status, "HTTP 204"},
        {{"truncate", "100"}, timeout, WcsFault::truncated, "before the whole page was there"},
        {{"size_mb", "50"}, timeout, WcsFault::too_large, "larger than 1048576 bytes"},
        {{"hang", "1"}, 50ms, WcsFault::timeout, "no answer within 0.05 s"},
        {{"delay_ms", "60000"}, 50ms, WcsFault::timeout, "no answer within 0.05 s"},
        {{"refuse", "1"}, timeout, WcsFault::connect, "connection refused"},
    };
    for (const auto& row : rows) {
        SCOPED_TRACE(row.fault.first);
        const auto body = fetch(row.fault, row.within);
        ASSERT_FALSE(body);
        EXPECT_EQ(to_string(body.error().fault), to_string(row.kind));
        EXPECT_THAT(body.error().text,
                    AllOf(StartsWith(page_url(simulator_).text + ": "), HasSubstr(row.text)));
        ASSERT_TRUE(simulator_.reset());
    }
}

TEST_F(FetchFromSimulator, LooksUpANameInTime) {
    auto url = page_url(simulator_);
    url.host = "localhost";
    const auto body = test::fetch(io_, url, timeout, max_bytes);
    EXPECT_TRUE(body) << body.error().text;
}

/// Answers one connection with fixed bytes.
class ByteServer {
 public:
    explicit ByteServer(asio::io_context& io) : acceptor_(io, any_port()) {}

    WcsUrl url() const {
        return parse_wcs_url(url_text(acceptor_.local_endpoint(), "/?action=stat")).value();
    }

    /// Sends the answer to the next request and ends the connection; with `hold` keeps it open.
    asio::awaitable<void> serve_one(std::string answer, bool hold = false) {
        tcp::socket socket = co_await acceptor_.async_accept(asio::use_awaitable);
        co_await asio::async_read_until(socket, asio::dynamic_buffer(request_), "\r\n\r\n",
                                        asio::use_awaitable);
        co_await asio::async_write(socket, asio::buffer(answer), asio::use_awaitable);
        if (hold) {
            held_.emplace(std::move(socket));
        }
    }

    const std::string& request() const { return request_; }

 private:
    tcp::acceptor acceptor_;
    std::string request_;
    std::optional<tcp::socket> held_;
};

struct Answer {
    std::string bytes;
    bool hold = false;
    std::chrono::milliseconds within = timeout;
};

FetchResult fetch_bytes(const Answer& answer, std::string* request = nullptr) {
    asio::io_context io;
    ByteServer server(io);
    spawn(io, server.serve_one(answer.bytes, answer.hold));
    auto result = test::fetch(io, server.url(), answer.within, 1000);
    if (request != nullptr) {
        *request = server.request();
    }
    return result;
}

TEST(FetchFromBytes, Bodies) {
    const struct {
        const char* shows;
        std::string answer;
        std::string body;
    } rows[] = {
        {"with a length", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\na=1", "a=1"},
        {"up to the end of the connection", "HTTP/1.0 200 OK\r\n\r\na=1", "a=1"},
        {"in chunks",
         "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\na=\r\n1\r\n1\r\n0\r\n\r\n",
         "a=1"},
        {"as long as allowed", "HTTP/1.1 200 OK\r\n\r\n" + std::string(1000, 'x'),
         std::string(1000, 'x')},
        {"none", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", ""},
    };
    for (const auto& row : rows) {
        SCOPED_TRACE(row.shows);
        const auto body = fetch_bytes({row.answer});
        ASSERT_TRUE(body) << body.error().text;
        EXPECT_EQ(body->body, row.body);
    }
}

TEST(FetchFromBytes, Faults) {
    const std::string ok = "HTTP/1.1 200 OK\r\n";
    const struct {
        const char* shows;
        Answer answer;
        WcsFault kind;
        const char* text;
    } rows[] = {
        {"closed without a byte",
         {""},
         WcsFault::truncated,
         "before the answer; if this port is TLS, write https://"},
        {"closed in the header", {"HTTP/1.1 20"}, WcsFault::truncated, "before the whole page"},
        {"closed between header lines",
         {ok + "Server: wcs\r\nCon"},
         WcsFault::truncated,
         "before the whole page"},
        {"closed in the body",
         {ok + "Content-Length: 9\r\n\r\na=1"},
         WcsFault::truncated,
         "before the whole page"},
        {"closed in a chunk",
         {ok + "Transfer-Encoding: chunked\r\n\r\n9\r\na="},
         WcsFault::truncated,
         "before the whole page"},
        {"another protocol", {"SSH-2.0-OpenSSH_9.2\r\n"}, WcsFault::not_a_page, "not HTTP"},
        {"TLS",
         {std::string("\x15\x03\x01\0\x02\x02\x0a", 7)},
         WcsFault::not_a_page,
         "TLS, not plain HTTP: write https://"},
        {"TLS, as nginx says it",
         {"HTTP/1.1 400 Bad Request\r\nContent-Length: 60\r\n\r\n<title>400 The plain HTTP request "
          "was sent to HTTPS port</title>"},
         WcsFault::http_status,
         "HTTP 400 Bad Request: this port is TLS: write https://"},
        {"a bad request of another kind",
         {"HTTP/1.1 400 Bad Request\r\n\r\nno"},
         WcsFault::http_status,
         "HTTP 400 Bad Request"},
        {"a length that is none",
         {ok + "Content-Length: x\r\n\r\n"},
         WcsFault::not_a_page,
         "not HTTP"},
        {"a length over the bound",
         {ok + "Content-Length: 1001\r\n\r\n"},
         WcsFault::too_large,
         "larger than 1000 bytes"},
        {"more than the bound without a length",
         {ok + "\r\n" + std::string(1001, 'x')},
         WcsFault::too_large,
         "larger than 1000 bytes"},
        {"a header without end",
         {ok + "X: " + std::string(1 << 20, 'x')},
         WcsFault::too_large,
         "header"},
        {"a chunk extension without end",
         {ok + "Transfer-Encoding: chunked\r\n\r\n1;" + std::string(1 << 20, 'x')},
         WcsFault::too_large,
         "a line between chunks"},
        {"a trailer without end",
         {ok + "Transfer-Encoding: chunked\r\n\r\n0\r\nX: " + std::string(1 << 20, 'x')},
         WcsFault::too_large,
         "a line between chunks"},
        {"a body that stops",
         {ok + "Content-Length: 9\r\n\r\na=1", true, 100ms},
         WcsFault::timeout,
         "the page was not whole within 0.1 s"},
        {"a location that is no text",
         {"HTTP/1.1 301 Moved\r\nLocation: /\xff\r\nContent-Length: 0\r\n\r\n"},
         WcsFault::http_status,
         "to /?, not followed"},
    };
    for (const auto& row : rows) {
        SCOPED_TRACE(row.shows);
        const auto body = fetch_bytes(row.answer);
        ASSERT_FALSE(body);
        EXPECT_EQ(to_string(body.error().fault), to_string(row.kind));
        EXPECT_THAT(body.error().text, HasSubstr(row.text));
    }
}

TEST(FetchFromBytes, Request) {
    std::string request;
    const auto body = fetch_bytes({"HTTP/1.1 200 OK\r\n\r\na=1"}, &request);
    EXPECT_TRUE(body);
    EXPECT_THAT(request, AllOf(StartsWith("GET /?action=stat HTTP/1.1\r\nHost: 127.0.0.1:"),
                               HasSubstr("\r\nUser-Agent: wcs-node-agent/"),
                               HasSubstr("\r\nAccept-Encoding: identity\r\n"),
                               HasSubstr("\r\nConnection: close\r\n")));
}

/// Keeps a connection full, from a thread of its own, until its answer is sent.
class FullSpeedServer {
 public:
    explicit FullSpeedServer(std::string answer)
        : answer_(std::move(answer)), thread_([this] { serve_one(); }) {}

    WcsUrl url() const { return parse_wcs_url(url_text(acceptor_.local_endpoint(), "/")).value(); }

 private:
    void serve_one() {
        tcp::socket socket = acceptor_.accept();
        std::string request;
        asio::read_until(socket, asio::dynamic_buffer(request), "\r\n\r\n");
        asio::write(socket, asio::buffer(answer_));
    }

    asio::io_context io_;
    tcp::acceptor acceptor_{io_, any_port()};
    std::string answer_;
    std::jthread thread_;
};

TEST(Fetch, OthersHaveTheirTurnBetweenReads) {
    constexpr std::size_t bytes = 4 << 20;
    FullSpeedServer server("HTTP/1.1 200 OK\r\n\r\n" + std::string(bytes, 'x'));
    asio::io_context io(1);
    std::size_t turns = 0;
    asio::steady_timer timer(io);
    // A timer that has expired is seen where sockets are: by the reactor.
    const std::function<void()> take_turn = [&] {
        timer.expires_after(0ns);
        timer.async_wait([&](boost::system::error_code) {
            ++turns;
            take_turn();
        });
    };
    take_turn();

    const auto body = test::fetch(io, server.url(), timeout, bytes);
    ASSERT_TRUE(body) << body.error().text;
    EXPECT_EQ(body->body.size(), bytes);
    EXPECT_GE(turns, bytes / 16384 / 2) << "one in two reads of 16 KiB";
}

TEST(Fetch, NoDeadlineLeft) {
    asio::io_context io;
    ByteServer server(io);
    const auto body = test::fetch(io, server.url(), 0ns, 1000);
    ASSERT_FALSE(body);
    EXPECT_EQ(to_string(body.error().fault), "timeout");
}

TEST(Fetch, NameThatCannotBe) {
    asio::io_context io;
    // Longer than a label of a name may be: refused before any server is asked.
    const auto url = parse_wcs_url("http://" + std::string(64, 'a') + "/").value();
    const auto body = test::fetch(io, url, timeout, 1000);
    ASSERT_FALSE(body);
    EXPECT_EQ(to_string(body.error().fault), "connect");
    EXPECT_THAT(body.error().text, HasSubstr("does not resolve"));
}

TEST(Fetch, AnAddressNeedsNoThread) {
    asio::io_context io;
    const auto threads = [] {
        std::size_t count = 0;
        for ([[maybe_unused]] const auto& task :
             std::filesystem::directory_iterator("/proc/self/task")) {
            ++count;
        }
        return count;
    };
    const auto before = threads();
    for (const char* text : {"http://127.0.0.1:1/", "http://[::1]:1/"}) {
        const auto url = parse_wcs_url(text).value();
        EXPECT_FALSE(test::fetch(io, url, timeout, 1000));
    }
    EXPECT_EQ(threads(), before);
}

}  // namespace
}  // namespace wcs_node_agent::test
