// SPDX-License-Identifier: Apache-2.0
#include "wcs/poller.hpp"

#include "unit/wcs/support.hpp"

#include <sstream>
#include <string>

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/asio/co_spawn.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>

namespace wcs_node_agent::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::MatchesRegex;
using testing::Not;

const WcsUrl statistics{"http://wcs/?action=stat", "wcs", 80, "/?action=stat"};

WcsSettings settings(WcsUrl url = statistics) {
    return {std::move(url), 20ms, timeout, 1 << 20, 256, CountNames{}, {}, {}};
}

FetchOutcome page_outcome(const std::string& body, const std::string& content_type = {},
                          const WcsUrl& url = statistics) {
    return read_page(FetchedPage{body, HttpReply::BodyEnd::length, {}, content_type},
                     settings(url));
}

FetchOutcome fault_outcome(WcsFault fault) {
    return read_page(FetchError{fault, "why"}, settings());
}

/// A page with these counts: publishers, subscribers and HLS streams of one protocol each.
std::string page_text(int publishers, int subscribers, int hls) {
    return "streams_webrtc_in=" + std::to_string(publishers) +
           "\nstreams_rtmp_in=0\nstreams_rtsp_in=0\nstreams_webrtc_out=0\nstreams_rtmp_out=" +
           std::to_string(subscribers) +
           "\nstreams_rtsp_out=0\nstreams_hls=" + std::to_string(hls) + "\n";
}

Clock::time_point at(int seconds) { return Clock::time_point() + std::chrono::seconds(seconds); }

testing::AssertionResult holds(const std::optional<HeldCount>& held, double value, int seconds) {
    if (!held) {
        return testing::AssertionFailure() << "unknown";
    }
    if (held->value != value || held->at != at(seconds)) {
        return testing::AssertionFailure()
               << held->value << " since " << Seconds(held->at.time_since_epoch()).count();
    }
    return testing::AssertionSuccess();
}

TEST(ReadPage, CountsAndKeepsThePage) {
    const auto outcome = page_outcome(page_text(3, 4, 5) + "other=6\n");
    EXPECT_EQ(outcome.fault, WcsFault::none);
    EXPECT_EQ(outcome.fault_text, "");
    ASSERT_TRUE(outcome.page);
    EXPECT_EQ(outcome.page->numbers.at("other"), 6);
    EXPECT_EQ(outcome.counts.hls, 5);
}

TEST(ReadPage, NoPage) {
    const auto outcome = page_outcome("<html>");
    EXPECT_EQ(to_string(outcome.fault), "not_a_page");
    EXPECT_EQ(outcome.fault_text,
              "http://wcs/?action=stat: this is not WCS's statistics page: an HTML page, which "
              "begins with \"<html>\"");
    EXPECT_FALSE(outcome.page);
}

TEST(ReadPage, NamesWhatAnswersInstead) {
    const std::string not_wcs = "this is not WCS's statistics page: ";
    const std::string nothing_counted =
        "; it has none of the others either: is this WCS's statistics page?";
    const struct {
        const char* shows;
        std::string body;
        const char* type;
        std::string text;
    } rows[] = {
        {"its title", "<html>\n<head><TITLE>Welcome to nginx!</title>", "text/html",
         not_wcs + "an HTML page, text/html, titled \"Welcome to nginx!\""},
        {"a title that does not end", "<html><title>" + std::string(9000, 'x'), "text/html",
         not_wcs + "an HTML page, text/html, titled \"" + std::string(60, 'x') + '"'},
        {"what it begins with, masked", "hello \x1b[31m", "text/plain",
         not_wcs + "not a single key=value line, text/plain, which begins with \"hello ?[31m\""},
        {"a type that is no text", "x",
         "a\x07"
         "b",
         ", a?b, which begins with \"x\""},
        {"nothing", "", "", not_wcs + "empty"},
        {"numbers that are not WCS's", "up{job=\"x\"} 1\nphp=8\n", "text/plain",
         nothing_counted + ", text/plain, which begins with \"up{job="},
        {"JSON of somebody else", R"({"status": {"threads": 1}})", "application/json",
         nothing_counted + ", application/json, which begins with"},
    };
    for (const auto& row : rows) {
        SCOPED_TRACE(row.shows);
        EXPECT_THAT(page_outcome(row.body, row.type).fault_text, HasSubstr(row.text));
    }
    EXPECT_THAT(page_outcome("streams_webrtc_in=1\n").fault_text,
                Not(HasSubstr("none of the others")));
}

TEST(ReadPage, SaysWhereTheQueryIsMissing) {
    const WcsUrl bare{"http://wcs/", "wcs", 80, "/"};
    const auto hint = HasSubstr("wcs_url has no ?action=stat");
    EXPECT_THAT(page_outcome("<html>", {}, bare).fault_text, hint);
    EXPECT_THAT(page_outcome("a=1\n", {}, bare).fault_text, hint);
    EXPECT_THAT(page_outcome("<html>").fault_text, Not(hint));
    const FetchError not_found{WcsFault::http_status, "HTTP 404 Not Found"};
    EXPECT_THAT(read_page(not_found, settings(bare)).fault_text, hint);
    EXPECT_THAT(read_page(not_found, settings(statistics)).fault_text, Not(hint));
    EXPECT_THAT(read_page(FetchError{WcsFault::connect, "refused"}, settings(bare)).fault_text,
                Not(hint));
}

TEST(ReadPage, NoAnswer) {
    const auto outcome = fault_outcome(WcsFault::timeout);
    EXPECT_EQ(to_string(outcome.fault), "timeout");
    EXPECT_EQ(outcome.fault_text, "why");
    EXPECT_FALSE(outcome.page);
}

TEST(ReadPage, MissingNameSaysHowToFixIt) {
    const auto outcome = page_outcome("streams_webrtc_in=1\n");
    EXPECT_EQ(to_string(outcome.fault), "missing_name");
    EXPECT_THAT(outcome.fault_text, HasSubstr("no number named 'streams_rtmp_in'"));
    EXPECT_THAT(outcome.fault_text, HasSubstr("`counts`"));
    EXPECT_TRUE(outcome.page);
}

TEST(Record, NothingIsKnownBeforeTheFirstFetch) {
    const WcsState state;
    EXPECT_FALSE(state.asked);
    EXPECT_FALSE(state.up());
    EXPECT_FALSE(state.publishers || state.subscribers || state.hls);
}

TEST(Record, APage) {
    WcsState state;
    auto outcome = page_outcome(page_text(3, 4, 5));
    outcome.duration = 7ms;
    record(state, outcome, at(1));
    EXPECT_TRUE(state.up());
    EXPECT_EQ(state.page_at, at(1));
    EXPECT_EQ(state.fetch_duration, 7ms);
    EXPECT_EQ(state.page->numbers.size(), 7U);
    EXPECT_EQ(state.counts.subscribers[1], 4);
    EXPECT_TRUE(holds(state.publishers, 3, 1));
    EXPECT_TRUE(holds(state.subscribers, 4, 1));
    EXPECT_TRUE(holds(state.hls, 5, 1));
}

TEST(Record, EveryFaultHoldsTheLastCounts) {
    for (const auto fault : all_wcs_faults) {
        if (fault == WcsFault::missing_name) {
            continue;  // comes with a page: its own test
        }
        SCOPED_TRACE(to_string(fault));
        WcsState state;
        record(state, page_outcome(page_text(3, 4, 5)), at(1));
        record(state, fault_outcome(fault), at(2));
        record(state, fault_outcome(fault), at(3));
        EXPECT_FALSE(state.up());
        EXPECT_EQ(state.fault, fault);
        EXPECT_EQ(state.fault_text, "why");
        EXPECT_EQ(state.faults_total[static_cast<std::size_t>(fault)], 2U);
        EXPECT_EQ(state.page_at, at(1));
        EXPECT_TRUE(holds(state.publishers, 3, 1));
        EXPECT_TRUE(holds(state.subscribers, 4, 1));
        EXPECT_TRUE(holds(state.hls, 5, 1));

        record(state, page_outcome(page_text(0, 1, 2)), at(4));
        EXPECT_TRUE(state.up());
        EXPECT_EQ(state.fault_text, "");
        EXPECT_TRUE(holds(state.publishers, 0, 4));
        EXPECT_EQ(state.faults_total[static_cast<std::size_t>(fault)], 2U);
        EXPECT_EQ(state.faults_total[static_cast<std::size_t>(WcsFault::none)], 0U);
    }
}

TEST(Record, AFailedFirstFetchLeavesCountsUnknown) {
    WcsState state;
    record(state, fault_outcome(WcsFault::connect), at(1));
    EXPECT_TRUE(state.asked);
    EXPECT_FALSE(state.up());
    EXPECT_FALSE(state.page_at);
    EXPECT_FALSE(state.publishers || state.subscribers || state.hls);
}

TEST(Record, AMissingNameHoldsItsCountAlone) {
    WcsState state;
    record(state, page_outcome(page_text(3, 4, 5)), at(1));
    auto body = page_text(6, 7, 8);
    body.replace(body.find("streams_rtsp_out"), 16, "streams_other_out");
    record(state, page_outcome(body), at(2));
    EXPECT_TRUE(state.up());
    EXPECT_EQ(to_string(state.fault), "missing_name");
    EXPECT_EQ(state.faults_total[static_cast<std::size_t>(WcsFault::missing_name)], 1U);
    EXPECT_EQ(state.page_at, at(2));
    EXPECT_EQ(state.counts.missing, "streams_rtsp_out");
    EXPECT_TRUE(holds(state.publishers, 6, 2));
    EXPECT_TRUE(holds(state.subscribers, 4, 1)) << "one of its protocols is unknown";
    EXPECT_TRUE(holds(state.hls, 8, 2));
}

TEST(NextStart, KeepsToTheGrid) {
    const struct {
        const char* shows;
        std::chrono::milliseconds now;
        std::chrono::milliseconds next;
    } rows[] = {
        {"in time", 10ms, 100ms},           {"just in time", 100ms, 100ms},
        {"one start missed", 101ms, 200ms}, {"two starts missed, the third due", 300ms, 300ms},
        {"many missed", 1234ms, 1300ms},
    };
    for (const auto& row : rows) {
        SCOPED_TRACE(row.shows);
        EXPECT_EQ(next_start(at(5), 100ms, at(5) + row.now), at(5) + row.next);
    }
}

TEST(Settings, ComeFromTheConfiguration) {
    Config config;
    config.wcs_url = {.text = "http://wcs:8081/", .host = "wcs", .port = 8081, .target = "/"};
    config.wcs_interval = 2s;
    config.wcs_timeout = 3s;
    config.wcs_max_page = 4;
    config.wcs_max_stats = 5;
    config.counts.hls = {"connections_hls"};
    const auto taken = wcs_settings(config);
    EXPECT_EQ(taken.url, config.wcs_url);
    EXPECT_EQ(taken.interval, 2s);
    EXPECT_EQ(taken.timeout, 3s);
    EXPECT_EQ(taken.max_page, 4U);
    EXPECT_EQ(taken.max_stats, 5U);
    EXPECT_EQ(taken.counts, config.counts);
    EXPECT_THAT(taken.limit_keys, testing::IsSupersetOf({"ports_media_busy", "ports_media_free"}));
}

/// A poller, a simulator for it to ask, and what it logs.
class Poller : public testing::Test {
 protected:
    void SetUp() override {
        const auto started = simulator_.start();
        ASSERT_TRUE(started) << started.error().what;
        poller_.configure(settings(page_url(simulator_)));
        auto sink = std::make_shared<spdlog::sinks::ostream_sink_st>(log_);
        auto logger = std::make_shared<spdlog::logger>("test", sink);
        logger->set_pattern("%l %v");
        spdlog::set_default_logger(logger);
    }

    void TearDown() override { spdlog::set_default_logger(before_); }

    void simulate(const sim::Setting& setting) { ASSERT_TRUE(simulator_.set({&setting, 1})); }

    std::uint64_t faults(WcsFault fault) const {
        return poller_.state().faults_total[static_cast<std::size_t>(fault)];
    }

    std::vector<std::string> log_lines() const {
        std::vector<std::string> lines;
        std::istringstream log(log_.str());
        for (std::string line; std::getline(log, line);) {
            lines.push_back(line);
        }
        return lines;
    }

    asio::io_context io_;
    sim::Simulator simulator_{io_.get_executor(), simulator_options()};
    WcsPoller poller_{io_.get_executor(), settings()};
    std::ostringstream log_;
    std::shared_ptr<spdlog::logger> before_ = spdlog::default_logger();
};

TEST_F(Poller, FetchesOnce) {
    simulate({"streams_rtmp_out", "12"});
    run(io_, poller_.fetch_once());
    EXPECT_TRUE(poller_.state().up());
    ASSERT_TRUE(poller_.state().subscribers);
    EXPECT_EQ(poller_.state().subscribers->value, 12);
    EXPECT_GT(poller_.state().fetch_duration, 0ns);
}

TEST_F(Poller, GoesOnThroughFaultsAndLogsEachChangeOnce) {
    simulate({"streams_webrtc_in", "5"});
    spawn(io_, poller_.run());
    ASSERT_TRUE(run_until(io_, [&] { return poller_.state().publishers.has_value(); }));

    simulate({"garbage", "1"});
    ASSERT_TRUE(run_until(io_, [&] { return faults(WcsFault::not_a_page) >= 3; }));
    EXPECT_FALSE(poller_.state().up());
    EXPECT_EQ(poller_.state().publishers->value, 5);

    simulate({"refuse", "1"});
    ASSERT_TRUE(run_until(io_, [&] { return faults(WcsFault::connect) >= 3; }));

    simulate({"refuse", "0"});
    simulate({"garbage", "0"});
    simulate({"streams_hls", ""});
    ASSERT_TRUE(run_until(io_, [&] { return faults(WcsFault::missing_name) >= 3; }));
    EXPECT_TRUE(poller_.state().up());

    simulate({"streams_hls", "1"});
    ASSERT_TRUE(run_until(io_, [&] { return poller_.state().fault == WcsFault::none; }));

    EXPECT_THAT(
        log_lines(),
        ElementsAre(
            MatchesRegex("info wcs: answering, http://127.*"),
            MatchesRegex(
                "warning wcs: not answering: http://127.*: this is not WCS.s statistics page.*"),
            MatchesRegex("warning wcs: not answering: http://127.*: connection refused"),
            MatchesRegex("warning wcs: http://127.*no number named 'streams_hls'.*"),
            MatchesRegex("info wcs: answering, http://127.*")));
}

TEST_F(Poller, NeverAsksTwiceAtOnce) {
    simulate({"hang", "1"});
    auto quick = settings(page_url(simulator_));
    quick.interval = 1ms;
    quick.timeout = 100ms;
    poller_.configure(quick);
    const auto begun = Clock::now();
    spawn(io_, poller_.run());
    ASSERT_TRUE(run_until(io_, [&] { return faults(WcsFault::timeout) >= 3; }));
    EXPECT_GE(Clock::now() - begun, 300ms) << "three timeouts, one after the other";
}

TEST_F(Poller, NewSettingsHoldFromTheNextFetch) {
    spawn(io_, poller_.run());
    ASSERT_TRUE(run_until(io_, [&] { return poller_.state().up(); }));
    auto changed = settings(page_url(simulator_));
    changed.counts.hls = {"elsewhere"};
    poller_.configure(changed);
    EXPECT_TRUE(run_until(io_, [&] { return poller_.state().counts.missing == "elsewhere"; }));
}

TEST_F(Poller, CancellingEndsItQuietly) {
    for (const bool during_fetch : {false, true}) {
        SCOPED_TRACE(during_fetch ? "during a fetch" : "between two");
        auto slow = settings(page_url(simulator_));
        slow.interval = 1h;
        slow.timeout = 1h;
        poller_.configure(slow);
        simulate({"hang", during_fetch ? "1" : "0"});
        const auto faults_before = poller_.state().faults_total;
        asio::cancellation_signal cancel;
        bool ended = false;
        const auto on_end = [&](const std::exception_ptr& thrown) {
            EXPECT_FALSE(thrown);
            ended = true;
        };
        asio::co_spawn(io_, poller_.run(), asio::bind_cancellation_slot(cancel.slot(), on_end));
        io_.restart();
        io_.run_for(50ms);
        EXPECT_FALSE(ended);
        cancel.emit(asio::cancellation_type::terminal);
        EXPECT_TRUE(run_until(io_, [&] { return ended; }));
        EXPECT_EQ(poller_.state().faults_total, faults_before);
    }
}

}  // namespace
}  // namespace wcs_node_agent::test
