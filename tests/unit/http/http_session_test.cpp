// SPDX-License-Identifier: Apache-2.0
#include "http/http_session.hpp"

#include "unit/http/sample_snapshot.hpp"

#include <string>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/beast/_experimental/test/stream.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace wcs_node_agent::test {

namespace {

using testing::EndsWith;
using testing::HasSubstr;
using testing::StartsWith;

struct Slot {
    std::string& phases;
    void set_idle() { phases += '.'; }
    void set_working() { phases += 'w'; }
};

/// A session in memory: what it says to these bytes, after which the client has nothing to add.
/// `failing_at` is the number of the stream operation that fails, `read_size` the most bytes that
/// one read gets.
struct Session {
    std::string reply;
    std::string phases;  // of its slot: . for idle, w for working
    bool ended = false;

    explicit Session(std::string_view request, std::size_t failing_at = 0,
                     std::size_t read_size = std::string::npos) {
        asio::io_context context;
        CurrentSnapshot snapshots(context.get_executor());
        AgentCounters counters;
        const History history;
        const HttpRoutes routes(snapshots, history, counters);
        snapshots.publish(fresh_snapshot());
        boost::beast::test::fail_count failure(failing_at);
        auto stream = failing_at > 0 ? boost::beast::test::stream(context, failure)
                                     : boost::beast::test::stream(context);
        stream.read_size(read_size);
        auto client = boost::beast::test::connect(stream);
        Slot slot{phases};
        stream.append({request.data(), request.size()});
        client.close();
        auto answer = [&](const HttpRequest& asked) -> asio::awaitable<HttpResponse> {
            co_return routes.respond(asked, Clock::now());
        };
        asio::co_spawn(context, http_session(stream, answer, slot),
                       [&](const std::exception_ptr&) { ended = true; });
        context.run();
        reply = client.str();
    }
};

const std::string health = "GET /healthz HTTP/1.1\r\nHost: node\r\n\r\n";

}  // namespace

TEST(HttpSession, SetsItsSlotIdleAndWorking) {
    EXPECT_EQ(Session("").phases, "") << "who is about to ask is not idle";
    EXPECT_EQ(Session("G").phases, "w");
    EXPECT_EQ(Session(health).phases, "w.") << "idle after its answer";
    EXPECT_EQ(Session(health + health).phases, "w.") << "the second was there with the first";
    EXPECT_EQ(Session(health + health, 0, health.size()).phases, "w.w.");
}

TEST(HttpSession, AnswersAndStaysOpen) {
    const Session session(health);
    EXPECT_TRUE(session.ended);
    EXPECT_THAT(session.reply, StartsWith("HTTP/1.1 200 OK\r\n"));
    EXPECT_THAT(session.reply, EndsWith("\r\n\r\nok\n"));
    EXPECT_THAT(session.reply, testing::Not(HasSubstr("Connection: close")));
}

TEST(HttpSession, AnswersPipelinedRequestsInOrder) {
    const Session session("HEAD /metrics HTTP/1.1\r\nHost: node\r\n\r\n" + health +
                          "GET /nothing HTTP/1.1\r\nHost: node\r\nConnection: close\r\n\r\n" +
                          health);
    const auto metrics = session.reply.find("text/plain; version=0.0.4");
    const auto ok = session.reply.find("\r\n\r\nok\n");
    const auto nothing = session.reply.find("HTTP/1.1 404 Not Found");
    EXPECT_LT(metrics, ok);
    EXPECT_LT(ok, nothing);
    EXPECT_NE(nothing, std::string::npos);
    EXPECT_THAT(session.reply, EndsWith("There is no such page.\n")) << "nothing after `close`";
}

TEST(HttpSession, TellsTheClientWhatIsWrongAndEnds) {
    struct Row {
        const char* shows;
        std::string request;
        const char* reply;
    };
    const std::string get = "GET / HTTP/1.1\r\nHost: node\r\n";
    const Row rows[] = {
        {"rubbish", "rubbish\r\n\r\n", "HTTP/1.1 400 Bad Request\r\n"},
        {"TLS", std::string("\x16\x03\x01\x00\xf8\x01\x00\x00\xf4\x03\x03", 11) + health,
         "HTTP/1.1 400 Bad Request\r\n"},
        {"a header line without a colon", get + "oops\r\n\r\n", "HTTP/1.1 400 Bad Request\r\n"},
        {"rubbish that goes on", "\x16\x03\x01", "HTTP/1.1 400 Bad Request\r\n"},
        {"another protocol, which waits", "SSH-2.0-OpenSSH_9.2\r\n",
         "HTTP/1.1 400 Bad Request\r\n"},
        {"HTTP/0.9", "GET /metrics\r\n", "HTTP/1.1 400 Bad Request\r\n"},
        {"a space in the target", "GET /a b HTTP/1.1\r\nHost: node\r\n\r\n",
         "HTTP/1.1 400 Bad Request\r\n"},
        {"the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
         "HTTP/1.1 505 HTTP Version Not Supported\r\n"},
        {"HTTP/3", "GET / HTTP/3\r\nHost: node\r\n\r\n",
         "HTTP/1.1 505 HTTP Version Not Supported\r\n"},
        {"a folded line", get + "X: a\r\n b\r\n\r\n", "HTTP/1.1 400 Bad Request\r\n"},
        {"a folded first line", "GET / HTTP/1.1\r\n\tX: a\r\n\r\n", "HTTP/1.1 400 Bad Request\r\n"},
        {"a blank before the colon", get + "X : a\r\n\r\n", "HTTP/1.1 400 Bad Request\r\n"},
        {"a bare CR", get + "X: a\rb\r\n\r\n", "HTTP/1.1 400 Bad Request\r\n"},
        {"empty lines without end", std::string(20'000, '\n'),
         "HTTP/1.1 431 Request Header Fields Too Large\r\n"},
        {"two lengths", get + "Content-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
         "HTTP/1.1 400 Bad Request\r\n"},
        {"chunks and a length",
         get + "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n",
         "HTTP/1.1 400 Bad Request\r\n"},
        {"a length and chunks",
         get + "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
         "HTTP/1.1 400 Bad Request\r\n"},
        {"another transfer coding", get + "Transfer-Encoding: gzip\r\n\r\n",
         "HTTP/1.1 501 Not Implemented\r\n"},
        {"another transfer coding in the end",
         get + "Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n",
         "HTTP/1.1 501 Not Implemented\r\n"},
        {"a body over the bound that waits",
         get + "Expect: 100-continue\r\nContent-Length: 9000\r\n\r\n",
         "HTTP/1.1 413 Payload Too Large\r\n"},
        {"another expectation", get + "Expect: magic\r\nContent-Length: 3\r\n\r\n",
         "HTTP/1.1 417 Expectation Failed\r\n"},
        {"a header of 9,000 bytes", get + "X: " + std::string(9000, 'x') + "\r\n\r\n",
         "HTTP/1.1 431 Request Header Fields Too Large\r\n"},
        {"a header without end", get + "X: " + std::string(100'000, 'x'),
         "HTTP/1.1 431 Request Header Fields Too Large\r\n"},
        {"a target without end", "GET /" + std::string(100'000, 'x'),
         "HTTP/1.1 431 Request Header Fields Too Large\r\n"},
        {"a body of 9,000 bytes", get + "Content-Length: 9000\r\n\r\n" + std::string(9000, 'x'),
         "HTTP/1.1 413 Payload Too Large\r\n"},
    };
    for (const Row& row : rows) {
        SCOPED_TRACE(row.shows);
        const Session session(row.request + health);
        EXPECT_TRUE(session.ended);
        EXPECT_THAT(session.reply, StartsWith(row.reply));
        EXPECT_THAT(session.reply, HasSubstr("Connection: close\r\n"));
        EXPECT_EQ(session.reply.find("HTTP/1.1 ", 1), std::string::npos)
            << "one reply, then the end";
    }
}

TEST(HttpSession, ReadsWhatMayBeLenient) {
    const std::string requests[] = {
        "\r\n" + health,
        "\n\r\n\r\n" + health,
        "GET /healthz HTTP/1.1\nHost: node\n\n",
        "GET /healthz HTTP/1.1\r\nHost: node\n\r\n",
        "GET /healthz HTTP/1.2\r\nHost: node\r\n\r\n",
        "GET HTTP://node/healthz HTTP/1.1\r\nHost: node\r\n\r\n",
    };
    for (const std::string& request : requests) {
        for (std::size_t size = 1; size <= request.size() + 1; ++size) {
            SCOPED_TRACE(request + "in pieces of " + std::to_string(size));
            const Session session(request + request, 0, size);
            EXPECT_THAT(session.reply, StartsWith("HTTP/1.1 200 OK\r\n"));
            EXPECT_THAT(session.reply.substr(1), HasSubstr("HTTP/1.1 200 OK\r\n"));
            EXPECT_THAT(session.reply, EndsWith("\r\n\r\nok\n"));
            EXPECT_EQ(session.reply.find("HTTP/1.1 4"), std::string::npos);
        }
    }
}

TEST(HttpSession, IsIdleBetweenRequestsWhateverEmptyLinesCome) {
    EXPECT_EQ(Session("\r\n").phases, "");
    EXPECT_EQ(Session(health + "\r\n").phases, "w.");
    EXPECT_EQ(Session("\r\n" + health, 0, 1).phases, "w.");
}

TEST(HttpSession, KeepsAnOldConnectionThatWantsTo) {
    const std::string old = "GET /healthz HTTP/1.0\r\n";
    const Session kept(old + "Connection: keep-alive\r\n\r\n" + old + "\r\n" + health);
    EXPECT_THAT(kept.reply, StartsWith("HTTP/1.0 200 OK\r\n"));
    EXPECT_THAT(kept.reply, HasSubstr("Connection: keep-alive\r\n"));
    EXPECT_THAT(kept.reply.substr(1), HasSubstr("HTTP/1.0 200 OK\r\n"));
    EXPECT_EQ(kept.reply.find("HTTP/1.1"), std::string::npos) << "the second ended it";
}

/// RFC 9110, 10.1.1.
TEST(HttpSession, TellsAClientThatWaitsToGoOn) {
    const std::string post = "POST /metrics HTTP/1.1\r\nHost: node\r\nExpect: 100-Continue\r\n";
    const std::string go_on = "HTTP/1.1 100 Continue\r\n\r\n";
    for (const std::string body : {"Content-Length: 3\r\n\r\nabc"}) {
        const auto header_size = post.size() + body.find("\r\n\r\n") + 4;
        const Session waits((post + body).substr(0, header_size));
        EXPECT_EQ(waits.reply, go_on);
        const Session goes_on(post + body + health, 0, header_size);
        EXPECT_THAT(goes_on.reply, StartsWith(go_on + "HTTP/1.1 405 Method Not Allowed\r\n"));
        EXPECT_THAT(goes_on.reply, EndsWith("\r\n\r\nok\n"));
        const Session all_at_once(post + body + health);
        EXPECT_THAT(all_at_once.reply, StartsWith("HTTP/1.1 405 ")) << "nobody waits";
    }
    EXPECT_THAT(Session(post + "\r\n").reply, StartsWith("HTTP/1.1 405 ")) << "no body";
    EXPECT_EQ(Session("POST / HTTP/1.0\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n").reply,
              "");
}

TEST(HttpSession, TakesABodyThatNobodyWants) {
    const Session session("POST /metrics HTTP/1.1\r\nHost: node\r\nContent-Length: 3\r\n\r\nabc" +
                          health);
    EXPECT_THAT(session.reply, StartsWith("HTTP/1.1 405 Method Not Allowed\r\n"));
    EXPECT_THAT(session.reply, EndsWith("\r\n\r\nok\n"));
}

TEST(HttpSession, TakesABodyWhereverItIsCut) {
    const std::string post = "POST /metrics HTTP/1.1\r\nHost: node\r\n";
    for (const std::string body : {"Content-Length: 3\r\n\r\nabc"}) {
        for (std::size_t size = 1; size < post.size() + body.size(); ++size) {
            SCOPED_TRACE(body + "in pieces of " + std::to_string(size));
            const Session session(post + body + health, 0, size);
            EXPECT_THAT(session.reply, StartsWith("HTTP/1.1 405 Method Not Allowed\r\n"));
            EXPECT_THAT(session.reply, EndsWith("\r\n\r\nok\n"));
        }
        const Session unfinished(post + body.substr(0, body.size() - 1));
        EXPECT_EQ(unfinished.reply, "") << "the client has left halfway";
    }
}

/// What is between chunks could be read wrongly; nothing of it is.
TEST(HttpSession, LeavesABodyInChunksUnreadAndEnds) {
    const std::string post =
        "POST /metrics HTTP/1.1\r\nHost: node\r\nTransfer-Encoding: chunked\r\n";
    const std::string bodies[] = {
        "3\r\nabc\r\n0\r\n\r\n", "zz\r\n", "0\r\nabc\r\n0\r\tPOST /x\r\n\r\n0\r\n",
        "1;" + std::string(5'000, 'x'), "0\r\nX: " + std::string(5'000, 'x')};
    for (const std::string& body : bodies) {
        for (const std::size_t size : {1UL, 2UL, 7UL, 100'000UL}) {
            SCOPED_TRACE(body.substr(0, 20) + " in pieces of " + std::to_string(size));
            for (const std::string expects : {"", "Expect: 100-continue\r\n"}) {
                const Session session(post + expects + "\r\n" + body + health, 0, size);
                EXPECT_TRUE(session.ended);
                EXPECT_THAT(session.reply, StartsWith("HTTP/1.1 405 Method Not Allowed\r\n"));
                EXPECT_THAT(session.reply, HasSubstr("Connection: close\r\n"));
                EXPECT_EQ(session.reply.find("HTTP/1.1 ", 1), std::string::npos);
            }
        }
    }
}

TEST(HttpSession, SaysNothingToAClientThatLeftHalfway) {
    EXPECT_EQ(Session("").reply, "");
    EXPECT_EQ(Session("GET / HT").reply, "");
    EXPECT_EQ(Session(health.substr(0, health.size() - 2)).reply, "");
}

TEST(HttpSession, EndsCleanlyAtEveryPointOfFailure) {
    for (std::size_t operation = 1; operation <= 8; ++operation) {
        SCOPED_TRACE(operation);
        EXPECT_TRUE(Session(health + health + health, operation).ended);
    }
}

}  // namespace wcs_node_agent::test
