// SPDX-License-Identifier: Apache-2.0
#include "http/http_routes.hpp"

#include "http/metrics.hpp"
#include "http/page_assets.hpp"
#include "unit/http/sample_snapshot.hpp"

#include <string>

#include <boost/asio/io_context.hpp>
#include <boost/beast/http/status.hpp>
#include <boost/beast/http/verb.hpp>
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace wcs_node_agent::test {

namespace {

namespace http = boost::beast::http;
using namespace std::chrono_literals;
using namespace std::string_view_literals;
using testing::EndsWith;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

std::string body_of(const HttpResponse& response) {
    const auto& body = response.body();
    return (body.shared ? *body.shared : std::string()) + body.own;
}

class HttpRoutesTest : public testing::Test {
 protected:
    HttpResponse ask(http::verb method, std::string_view target, std::string_view accept = {},
                     Clock::duration age = 125ms) {
        HttpRequest request(method, target, 11);
        request.set(http::field::host, "node");
        if (!accept.empty()) request.set(http::field::accept, accept);
        const auto snapshot = snapshots_.get();
        return routes_.respond(request, (snapshot ? snapshot->at : Clock::now()) + age);
    }
    HttpResponse get(std::string_view target, std::string_view accept = {}) {
        return ask(http::verb::get, target, accept);
    }
    void publish() { snapshots_.publish(publishable(busy_node())); }

    asio::io_context context_;
    CurrentSnapshot snapshots_{context_.get_executor()};
    AgentCounters counters_;
    History history_;
    HttpRoutes routes_{snapshots_, history_, counters_};
};

}  // namespace

TEST_F(HttpRoutesTest, GivesEachPathItsStatus) {
    publish();
    struct Row {
        const char* shows;
        const char* method;
        const char* target;
        unsigned status;
    };
    const Row rows[] = {
        {"the status page", "GET", "/", 200},
        {"one of its files", "GET", "/page/main.js", 200},
        {"none of its files", "GET", "/page/other.js", 404},
        {"metrics", "GET", "/metrics", 200},
        {"a query is ignored", "GET", "/metrics?name=x", 200},
        {"a query on the root", "GET", "/?", 200},
        {"status", "GET", "/status", 200},
        {"history", "GET", "/history", 200},
        {"newer history", "GET", "/history?since=12", 200},
        {"newer history, with another parameter", "GET", "/history?x&since=-1&y=", 200},
        {"newer than nothing", "GET", "/history?since=", 400},
        {"newer than a word", "GET", "/history?since=12s", 400},
        {"a number too great", "GET", "/history?since=99999999999999999999", 400},
        {"a word behind another parameter", "GET", "/history?x&since=y", 400},
        {"another parameter", "GET", "/history?sinces=x", 200},
        {"health", "GET", "/healthz", 200},
        {"the absolute form", "GET", "http://node:9708/status", 200},
        {"the absolute form without a path", "GET", "http://node:9708", 200},
        {"the absolute form in capitals", "GET", "HTTP://NODE/healthz", 200},
        {"the absolute form with a user", "GET", "http://u:p@[::1]:9708/healthz?x", 200},
        {"the absolute form of https", "GET", "hTTps://node/metrics", 200},
        {"the absolute form with a query alone", "GET", "http://node?x=/metrics", 200},
        {"the absolute form of an unknown path", "GET", "http://node/nothing", 404},
        {"another scheme", "GET", "ftp://node/metrics", 404},
        {"HEAD", "HEAD", "/metrics", 200},
        {"OPTIONS", "OPTIONS", "/metrics", 200},
        {"OPTIONS of the server", "OPTIONS", "*", 200},
        {"OPTIONS of an unknown path", "OPTIONS", "/nothing", 404},
        {"GET of the server", "GET", "*", 404},
        {"an unknown path", "GET", "/nothing", 404},
        {"a path's child", "GET", "/metrics/x", 404},
        {"an unknown path, whatever the method", "POST", "/nothing", 404},
        {"another method", "POST", "/metrics", 405},
        {"another method at the root", "DELETE", "/", 405},
        {"a method nobody knows", "BREW", "/metrics", 501},
    };
    for (const Row& row : rows) {
        SCOPED_TRACE(row.shows);
        HttpRequest request;
        request.version(11);
        request.method_string(row.method);
        request.target(row.target);
        request.set(http::field::host, "node");
        const auto response = routes_.respond(request, snapshots_.get()->at);
        EXPECT_EQ(response.result_int(), row.status);
        const bool allows = row.status == 405 || (row.status == 200 && row.method == "OPTIONS"sv);
        EXPECT_EQ(response[http::field::allow], allows ? "GET, HEAD, OPTIONS" : "");
        const bool is_file = row.shows == "the status page"sv || row.shows == "one of its files"sv;
        const bool may_be_kept = is_file || row.shows == "a query on the root"sv ||
                                 row.shows == "the absolute form without a path"sv ||
                                 row.shows == "the absolute form with a query alone"sv;
        EXPECT_EQ(response[http::field::cache_control], may_be_kept ? "no-cache" : "no-store");
    }
}

TEST_F(HttpRoutesTest, ServesTheTextWithTheSamplesAge) {
    publish();
    const auto response = get("/metrics");
    EXPECT_EQ(response[http::field::content_type], "text/plain; version=0.0.4; charset=utf-8");
    EXPECT_EQ(body_of(response), metrics_text(*snapshots_.get(), TextFormat::prometheus) +
                                     sample_age_text(125ms, TextFormat::prometheus));
    EXPECT_THAT(body_of(response), EndsWith("\nwcs_node_agent_sample_age_seconds 0.125\n"));
    EXPECT_EQ(counters_.scrapes, 1U);
}

TEST_F(HttpRoutesTest, ServesOpenMetricsWithTheSamplesAge) {
    publish();
    const auto response = get("/metrics", "application/openmetrics-text; version=1.0.0");
    EXPECT_EQ(response[http::field::content_type],
              "application/openmetrics-text; version=1.0.0; charset=utf-8");
    const std::string body = body_of(response);
    EXPECT_EQ(body, metrics_text(*snapshots_.get(), TextFormat::open_metrics) +
                        sample_age_text(125ms, TextFormat::open_metrics));
    EXPECT_THAT(body, EndsWith("\nwcs_node_agent_sample_age_seconds 0.125\n# EOF\n"));
    EXPECT_EQ(body.find("# EOF"), body.size() - 6) << "only at the end";
}

TEST_F(HttpRoutesTest, TakesSeveralAcceptLinesAsOneList) {
    publish();
    HttpRequest request(http::verb::get, "/metrics", 11);
    request.set(http::field::host, "node");
    request.insert(http::field::accept, "text/plain;q=0.5");
    request.insert(http::field::accept, "application/openmetrics-text");
    EXPECT_THAT(std::string(routes_.respond(request, Clock::now())[http::field::content_type]),
                StartsWith("application/openmetrics-text"));
}

TEST_F(HttpRoutesTest, RendersAPageOnceASampleAndKeepsWhatIsOnItsWay) {
    publish();
    const auto first = get("/status");
    EXPECT_EQ(first[http::field::content_type], "application/json");
    EXPECT_EQ(get("/status").body().shared, first.body().shared) << "the very same bytes";
    EXPECT_NE(get("/metrics").body().shared, first.body().shared);
    const std::weak_ptr<const Snapshot> old = snapshots_.get();
    publish();
    EXPECT_NE(get("/status").body().shared, first.body().shared) << "a new sample, a new page";
    EXPECT_TRUE(old.expired()) << "nobody needs the old snapshot any more";
    EXPECT_THAT(body_of(first), StartsWith("{")) << "but the page on its way is still there";
}

TEST_F(HttpRoutesTest, AnswersHeadLikeGetWithoutTheBody) {
    publish();
    for (const char* target : {"/", "/metrics", "/status", "/history", "/healthz", "/nothing"}) {
        SCOPED_TRACE(target);
        const auto from_get = get(target);
        const auto from_head = ask(http::verb::head, target);
        EXPECT_EQ(body_of(from_head), "");
        EXPECT_EQ(from_head.result(), from_get.result());
        EXPECT_EQ(from_head[http::field::content_length], std::to_string(body_of(from_get).size()));
        EXPECT_EQ(from_head[http::field::content_type], from_get[http::field::content_type]);
    }
    EXPECT_EQ(counters_.scrapes, 1U) << "HEAD is no scrape";
}

TEST_F(HttpRoutesTest, AsksToRetryLaterBeforeTheFirstSample) {
    for (const char* target : {"/metrics", "/status", "/history", "/healthz"}) {
        SCOPED_TRACE(target);
        const auto response = get(target);
        EXPECT_EQ(response.result(), http::status::service_unavailable);
        EXPECT_EQ(response[http::field::retry_after], "1");
        EXPECT_EQ(body_of(response), "There is no sample yet.\n");
    }
    EXPECT_EQ(get("/").result(), http::status::ok);
    EXPECT_EQ(counters_.scrapes, 0U);
}

TEST_F(HttpRoutesTest, SendsTheWholeHistoryOrWhatIsNew) {
    Snapshot node = busy_node();
    for (int second = 0; second < 10; ++second, node.at += 1s) history_.add(node, node.at);
    publish();
    const auto [first, end] = history_.seconds();
    const auto whole = get("/history");
    EXPECT_EQ(whole[http::field::content_type], "application/json");
    EXPECT_EQ(get("/history").body().shared, whole.body().shared) << "rendered once a sample";
    EXPECT_EQ(get("/history?since=3").body().shared, whole.body().shared) << "too old: all of it";
    const auto newer = body_of(get(fmt::format("/history?since={}", end - 3)));
    EXPECT_THAT(newer, HasSubstr(fmt::format("\"first\":{},\"last\":{},", end - 2, end - 1)));
    EXPECT_THAT(newer, HasSubstr("\n\"cpu_utilisation\":[0.25,0.25],\n"));
    EXPECT_THAT(body_of(whole), HasSubstr(fmt::format("\"first\":{},", first)));
}

TEST_F(HttpRoutesTest, IsHealthyWhileSamplesAreFresh) {
    publish();
    routes_.fresh_for(3s);
    const auto fresh = ask(http::verb::get, "/healthz", {}, 2999ms);
    EXPECT_EQ(fresh.result(), http::status::ok);
    EXPECT_EQ(body_of(fresh), "ok\n");
    const auto stale = ask(http::verb::get, "/healthz", {}, 12340ms);
    EXPECT_EQ(stale.result(), http::status::service_unavailable);
    EXPECT_EQ(body_of(stale), "The last sample is 12.3 s old.\n");
}

TEST_F(HttpRoutesTest, WantsOneHostLine) {
    HttpRequest request(http::verb::get, "/", 11);
    EXPECT_EQ(routes_.respond(request, Clock::now()).result(), http::status::bad_request);
    request.insert(http::field::host, "a");
    EXPECT_EQ(routes_.respond(request, Clock::now()).result(), http::status::ok);
    request.insert(http::field::host, "b");
    EXPECT_EQ(routes_.respond(request, Clock::now()).result(), http::status::bad_request);
    const HttpRequest old(http::verb::get, "/", 10);
    EXPECT_EQ(routes_.respond(old, Clock::now()).result(), http::status::ok);
}

TEST_F(HttpRoutesTest, LinksToEveryPage) {
    const auto response = get("/");
    EXPECT_EQ(response[http::field::content_type], "text/html; charset=utf-8");
    for (const char* target : {"metrics", "status", "history", "healthz"})
        EXPECT_THAT(body_of(response), HasSubstr("href=\"" + std::string(target) + "\""))
            << "relative, as a proxy may serve it below a path of its own";
}

TEST_F(HttpRoutesTest, ThePageNamesItsFilesAlone) {
    const auto page = body_of(get("/"));
    for (const auto& asset : page_assets()) {
        const auto body = body_of(get(asset.path));
        EXPECT_EQ(body, asset.body) << asset.path;
        EXPECT_THAT(body, Not(HasSubstr("sourceMappingURL"))) << asset.path;
    }
    for (const char* file : {"page/page.css", "page/main.js", "page/dygraphs.js", "page/icon.svg"})
        EXPECT_THAT(page, HasSubstr(file));
    EXPECT_THAT(page, Not(HasSubstr("://"))) << "nothing of others";
    EXPECT_THAT(page, Not(HasSubstr("onclick"))) << "no handlers in the markup";
    EXPECT_THAT(std::string(get("/")["Content-Security-Policy"]),
                StartsWith("default-src 'none';"));
}

TEST_F(HttpRoutesTest, ABrowserKeepsThePageAndAsksWhetherItIsTheSame) {
    struct Row {
        const char* shows;
        const char* accepts;
        bool gzip;
    };
    const Row rows[] = {
        {"gzip", "gzip, deflate, br", true}, {"gzip among others", "br;q=1.0, gzip;q=0.8", true},
        {"in capitals", "GZip", true},       {"no header", nullptr, false},
        {"gzip refused", "gzip;q=0", false}, {"others alone", "br, zstd", false},
    };
    for (const Row& row : rows) {
        SCOPED_TRACE(row.shows);
        HttpRequest request(http::verb::get, "/page/main.js", 11);
        request.set(http::field::host, "node");
        if (row.accepts) request.set(http::field::accept_encoding, row.accepts);
        const auto first = routes_.respond(request, Clock::now());
        EXPECT_EQ(first[http::field::content_encoding], row.gzip ? "gzip" : "");
        EXPECT_EQ(body_of(first).starts_with("\x1f\x8b"), row.gzip);
        EXPECT_EQ(first[http::field::vary], "Accept-Encoding");
        request.set(http::field::if_none_match,
                    "\"other\", " + std::string(first[http::field::etag]));
        const auto again = routes_.respond(request, Clock::now());
        EXPECT_EQ(again.result(), http::status::not_modified);
        EXPECT_EQ(body_of(again), "");
        EXPECT_EQ(again[http::field::etag], first[http::field::etag]);
        request.set(http::field::if_none_match, "\"other\"");
        EXPECT_EQ(routes_.respond(request, Clock::now()).result(), http::status::ok);
    }
}

}  // namespace wcs_node_agent::test
