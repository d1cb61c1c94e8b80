// SPDX-License-Identifier: Apache-2.0
#include "config/settings.hpp"

#include <array>
#include <chrono>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace wcs_node_agent {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

TEST(Settings, EveryValueReachesItsOwnField) {
    struct Row {
        std::string_view values;  // JSON
        std::function<bool(const Config&)> is_set;
    };
    const std::array rows{
        Row{R"({"agent_listen": "127.0.0.1:1"})",
            [](const Config& c) {
                return c.agent_listen.size() == 1 && c.agent_listen[0].port() == 1;
            }},
        Row{R"({"allow": ["10.0.0.0/8", "fd00::/8"]})",
            [](const Config& c) { return c.allow.v4.size() == 1 && c.allow.v6.size() == 1; }},
        Row{R"({"metrics_listen": ["127.0.0.1:0", "127.0.0.1:0"]})",
            [](const Config& c) { return c.metrics_listen.size() == 2; }},
        Row{R"({"metrics_allow": "10.0.0.1"})",
            [](const Config& c) {
                return c.metrics_allow.v4.size() == 1 && c.metrics_allow.v6.empty();
            }},
        Row{R"({"wcs_url": "http://wcs:80/"})",
            [](const Config& c) { return c.wcs_url.text == "http://wcs:80/"; }},
        Row{R"({"wcs_url": "https://wcs:8444/"})", [](const Config& c) { return c.wcs_url.tls; }},
        Row{R"({"wcs_ca_file": "/etc/wcs/ca.pem"})",
            [](const Config& c) { return c.wcs_ca_file == "/etc/wcs/ca.pem"; }},
        Row{R"({"wcs_insecure": true})", [](const Config& c) { return c.wcs_insecure; }},
        Row{R"({"wcs_insecure": "on"})", [](const Config& c) { return c.wcs_insecure; }},
        Row{R"({"wcs_interval": "5s"})", [](const Config& c) { return c.wcs_interval == 5s; }},
        Row{R"({"wcs_timeout": "500ms"})", [](const Config& c) { return c.wcs_timeout == 500ms; }},
        Row{R"({"wcs_max_page": "2MiB"})",
            [](const Config& c) { return c.wcs_max_page == 2 << 20; }},
        Row{R"({"wcs_max_page": 4096})", [](const Config& c) { return c.wcs_max_page == 4096; }},
        Row{R"({"wcs_max_stats": 0})", [](const Config& c) { return c.wcs_max_stats == 0; }},
        Row{R"({"wcs_max_stats": "12"})", [](const Config& c) { return c.wcs_max_stats == 12; }},
        Row{R"({"interface": ["eth*", "bond0"]})",
            [](const Config& c) {
                return c.interfaces == std::vector<std::string>{"eth*", "bond0"};
            }},
        Row{R"({"interface": "eth0"})",
            [](const Config& c) { return c.interfaces == std::vector<std::string>{"eth0"}; }},
        Row{R"({"source": "procfs"})",
            [](const Config& c) { return c.source == SourceChoice::procfs; }},
        Row{R"({"sample_interval": "100ms"})",
            [](const Config& c) { return c.sample_interval == 100ms; }},
        Row{R"({"window": "1m"})",
            [](const Config& c) { return c.window == 1min && c.window_of_cpu() == 1min; }},
        Row{R"({"cpu_window": "10s"})",
            [](const Config& c) { return c.window == 2s && c.window_of_cpu() == 10s; }},
        Row{R"({"cpu": 80})", [](const Config& c) { return named(c.limits, "cpu").maximum == 80; }},
        Row{R"({"publishers": "50"})",
            [](const Config& c) { return named(c.limits, "publishers").maximum == 50; }},
        Row{R"({"subscribers": 0})",
            [](const Config& c) { return !named(c.limits, "subscribers").maximum; }},
        Row{R"({"hls": "off"})", [](const Config& c) { return !named(c.limits, "hls").maximum; }},
        Row{R"({"band_in": "0"})",
            [](const Config& c) { return !named(c.limits, "band_in").maximum; }},
        Row{R"({"band_out": 2.5})",
            [](const Config& c) { return named(c.limits, "band_out").maximum == 2.5; }},
        Row{R"({"band_out": "80%"})",
            [](const Config& c) {
                return named(c.limits, "band_out").maximum == LimitMaximum::share_of_link(80);
            }},
        Row{R"({"band_in": "12.5%"})",
            [](const Config& c) {
                return named(c.limits, "band_in").maximum == LimitMaximum::share_of_link(12.5);
            }},
        Row{R"({"band_in": "100%"})",
            [](const Config& c) {
                return named(c.limits, "band_in").maximum == LimitMaximum::share_of_link(100);
            }},
        Row{R"({"ports": 80})",
            [](const Config& c) { return named(c.limits, "ports").maximum == 80; }},
        Row{R"({"udp_loss": "off"})",
            [](const Config& c) { return !named(c.limits, "udp_loss").maximum; }},
        Row{R"({"cpu_core": 95})",
            [](const Config& c) { return named(c.limits, "cpu_core").maximum == 95; }},
        Row{R"({"band_out_peak": "90%"})",
            [](const Config& c) {
                return named(c.limits, "band_out_peak").maximum == LimitMaximum::share_of_link(90);
            }},
        Row{R"({"limits": [{"name": "threads", "value": "core_threads", "max": 300}]})",
            [](const Config& c) {
                return c.limits.size() == built_in_limits.size() + 1 &&
                       c.limits.back() == Limit{.name = "threads",
                                                .value = LimitValue::page,
                                                .unit = LimitUnit::number,
                                                .maximum = 300,
                                                .keys = {"core_threads"}};
            }},
        Row{R"({"limits": [{"name": "off_now", "value": ["a"], "max": "off"},
                           {"name": "files2", "value": ["open", "lost"], "of": ["all"],
                            "max": "87.5%", "soft": true}]})",
            [](const Config& c) {
                return c.limits.size() == built_in_limits.size() + 2 &&
                       !named(c.limits, "off_now").maximum &&
                       c.limits.back() == Limit{.name = "files2",
                                                .value = LimitValue::page,
                                                .unit = LimitUnit::percent,
                                                .soft = true,
                                                .maximum = 87.5,
                                                .keys = {"open", "lost"},
                                                .of = {"all"}};
            }},
        Row{R"({"band_in": "0%"})",
            [](const Config& c) { return !named(c.limits, "band_in").maximum; }},
        Row{R"({"wire_overhead": 24})", [](const Config& c) { return c.wire_overhead == 24; }},
        Row{R"({"peaks": false})", [](const Config& c) { return !c.peaks; }},
        Row{R"({"peaks": "off"})", [](const Config& c) { return !c.peaks; }},
        Row{R"({"policy": "proportional"})",
            [](const Config& c) { return c.weight.policy == WeightPolicy::proportional; }},
        Row{R"({"capacity": 240.5})", [](const Config& c) { return c.weight.capacity == 240.5; }},
        Row{R"({"capacity_reference": "400"})",
            [](const Config& c) { return c.weight.capacity_reference == 400; }},
        Row{R"({"capacity_window": "90s"})",
            [](const Config& c) { return c.weight.capacity_window == 90s; }},
        Row{R"({"recent_sessions": "0s"})",
            [](const Config& c) { return c.weight.recent_sessions == 0s; }},
        Row{R"({"ramp": "1m"})", [](const Config& c) { return c.weight.ramp == 1min; }},
        Row{R"({"maxconn": false})", [](const Config& c) { return !c.weight.maxconn; }},
        Row{R"({"balancers": 4})", [](const Config& c) { return c.weight.balancers == 4; }},
        Row{R"({"counts": {"connections": ["connections_websocket"]}})",
            [](const Config& c) {
                return c.counts.connections == std::vector<std::string>{"connections_websocket"};
            }},
        Row{R"({"recover": 1})", [](const Config& c) { return c.recover == 1; }},
        Row{R"({"stale_after": "1m"})", [](const Config& c) { return c.stale_after == 1min; }},
        Row{R"({"when_stale": "ignore"})",
            [](const Config& c) { return c.when_stale == WhenStale::ignore; }},
        Row{R"({"log_level": "warning"})",
            [](const Config& c) { return c.log_level == "warning"; }},
        Row{R"({"counts": {"hls": ["streams_hls", "connections_hls"]}})",
            [](const Config& c) {
                return c.counts.hls == std::vector<std::string>{"streams_hls", "connections_hls"} &&
                       c.counts.publishers == CountNames().publishers;
            }},
        Row{R"({"counts": {"subscribers": {"rtsp": [], "rtmp": "x"}}})",
            [](const Config& c) {
                return c.counts.subscribers[2].empty() &&
                       c.counts.subscribers[1] == std::vector<std::string>{"x"} &&
                       c.counts.subscribers[0] == CountNames().subscribers[0];
            }},
    };
    const Json defaults = show_settings(Config());
    for (const Row& row : rows) {
        SCOPED_TRACE(row.values);
        const Json values = Json::parse(row.values);
        Config config;
        EXPECT_THAT(to_string(apply_settings(config, values)), IsEmpty());
        EXPECT_TRUE(row.is_set(config));

        const Json shown = show_settings(config);
        for (const auto& [name, value] : shown.items()) {
            EXPECT_EQ(value != defaults[name], values.contains(name)) << name;
        }
        Config again;
        EXPECT_THAT(to_string(apply_settings(again, shown)), IsEmpty());
        EXPECT_TRUE(row.is_set(again)) << "what is shown must be what was set";
        EXPECT_EQ(show_settings(again), shown);
    }
}

TEST(Settings, FaultsTellThePlaceAndTheRange) {
    struct Row {
        std::string_view values, fault;
    };
    const std::array rows{
        Row{R"({"band_out": "abc"})", "/band_out: must be a number greater than 0"},
        Row{R"({"band_out": -1})", "/band_out: must be a number greater than 0"},
        Row{R"({"band_out": true})", "not true"},
        Row{R"({"band_out": null})", "not null"},
        Row{R"({"band_out": [100]})", "not an array"},
        Row{R"({"cpu": 101})",
            "/cpu: must be a number greater than 0 and up to 100, or \"off\", not 101"},
        Row{R"({"band_out": "101%"})",
            "/band_out: must be a number greater than 0 and up to 1000000000, a share of the "
            "link's speed up to \"100%\", or \"off\", not \"101%\""},
        Row{R"({"band_in": "-1%"})", "not \"-1%\""},
        Row{R"({"band_in": "80 %"})", "not \"80 %\""},
        Row{R"({"band_in": "%"})", "not \"%\""},
        Row{R"({"band_in": "nan%"})", "not \"nan%\""},
        Row{R"({"cpu": "80%"})", "/cpu: must be a number greater than 0 and up to 100, or \"off\""},
        Row{R"({"subscribers": "80%"})", "or \"off\", not \"80%\""},
        Row{R"({"wire_overhead": 1001})", "a whole number from 0 to 1000, not 1001"},
        Row{R"({"wire_overhead": 1.5})", "a whole number from 0 to 1000"},
        Row{R"({"wire_overhead": -1})", "a whole number from 0 to 1000"},
        Row{R"({"peaks": "yes"})", "/peaks: must be true or false, not \"yes\""},
        Row{R"({"hls": "Off"})", "not \"Off\""},
        Row{R"({"policy": "roundrobin"})",
            "/policy: must be one of \"headroom\", \"proportional\", not \"roundrobin\""},
        Row{R"({"capacity": 0})",
            "/capacity: must be a number of sessions greater than 0 and up to 1000000, or "
            "\"auto\", not 0"},
        Row{R"({"capacity_reference": -1})", "/capacity_reference: must be a number of sessions"},
        Row{R"({"capacity": 1000001})", "/capacity: must be"},
        Row{R"({"capacity": "nan"})", "/capacity: must be"},
        Row{R"({"capacity_window": "0s"})", "/capacity_window: must be a duration"},
        Row{R"({"recent_sessions": "11m"})", "/recent_sessions: must be a duration"},
        Row{R"({"ramp": 30})", "/ramp: must be a duration"},
        Row{R"({"maxconn": 100})", "/maxconn: must be true or false, not 100"},
        Row{R"({"balancers": 0})",
            "/balancers: must be a whole number from 1 to 1000, or \"auto\", not 0"},
        Row{R"({"balancers": 1001})", "/balancers: must be"},
        Row{R"({"recover": 0})", "/recover: must be a number greater than 0 and up to 1, not 0"},
        Row{R"({"recover": 1.01})", "/recover: must be"},
        Row{R"({"sample_interval": "9ms"})", "from \"10ms\" to \"10s\", not \"9ms\""},
        Row{R"({"sample_interval": 250})", "a duration with its unit"},
        Row{R"({"window": "61s"})", "from \"10ms\" to \"1m\""},
        Row{R"({"stale_after": "0s"})", "from \"1ms\" to \"24h\""},
        Row{R"({"wcs_interval": "99ms"})", "from \"100ms\" to \"1h\""},
        Row{R"({"wcs_timeout": "2m"})", "from \"10ms\" to \"1m\""},
        Row{R"({"wcs_max_page": 1})", "from \"1KiB\" to \"1GiB\", not 1"},
        Row{R"({"wcs_max_page": -4096})", "from \"1KiB\" to \"1GiB\""},
        Row{R"({"wcs_max_stats": 1.5})", "a whole number from 0 to 100000"},
        Row{R"({"wcs_max_stats": 1e300})", "a whole number from 0 to 100000"},
        Row{R"({"wcs_url": "ftp://127.0.0.1:8444/"})", "/wcs_url: "},
        Row{R"({"wcs_insecure": "yes"})", "true or false"},
        Row{R"({"wcs_url": "http://a/\r\nEvil: x"})", "without control characters"},
        Row{R"({"wcs_url": ""})", "must be a string"},
        Row{R"({"wcs_url": {"host": "a"}})", "not an object"},
        Row{R"({"agent_listen": []})", "/agent_listen: must name at least one"},
        Row{R"({"agent_listen": ["127.0.0.1:1", ":2"]})", "/agent_listen/1: \":2\" has no address"},
        Row{R"({"agent_listen": ["127.0.0.1:1", "127.0.0.1:1"]})",
            "/agent_listen/1: \"127.0.0.1:1\" listed twice"},
        Row{R"({"agent_listen": "127.0.0.1\u0000x:1"})", "without control characters"},
        Row{R"({"agent_listen": 9707})", "/agent_listen: must be a string, not 9707"},
        Row{R"({"allow": []})", "/allow: must name at least one"},
        Row{R"({"allow": [10]})", "/allow/0: must be a string, not 10"},
        Row{R"({"allow": "10.1.2.3/8"})",
            "/allow: \"10.1.2.3/8\" has bits set past its prefix: write \"10.0.0.0/8\""},
        Row{R"({"interface": ["eth0", ""]})", "/interface/1: must be a string"},
        Row{R"({"interface": ["eth0", "eth0"]})", "/interface/1: \"eth0\" listed twice"},
        Row{R"({"source": "bpf"})", "must be one of \"auto\", \"ebpf\", \"procfs\", not \"bpf\""},
        Row{R"({"when_stale": "up"})", "/when_stale: must be one of"},
        Row{R"({"log_level": 3})", "/log_level: must be one of"},
        Row{R"({"counts": []})", "/counts: must be an object"},
        Row{R"({"counts": {"hsl": []}})", "/counts/hsl: unknown key; did you mean hls?"},
        Row{R"({"counts": {"publishers": "x"}})", "/counts/publishers: must be an object"},
        Row{R"({"counts": {"publishers": {"webrtc": ["a", 1]}}})",
            "/counts/publishers/webrtc/1: must be a string, not 1"},
        Row{R"({"counts": {"publishers": {"webrct": []}}})",
            "/counts/publishers/webrct: unknown key; did you mean webrtc?"},
        Row{R"({"ports": 101})", "/ports: must be a number greater than 0 and up to 100, or"},
        Row{R"({"udp_loss": "1%"})", "/udp_loss: must be a number greater than 0 and up to 100"},
        Row{R"({"limits": {}})", "/limits: must be an array of objects, not an object"},
        Row{R"({"limits": ["cpu"]})",
            "/limits/0: must be an object with \"name\", \"value\" and \"max\", not \"cpu\""},
        Row{R"({"limits": [{"name": "a", "value": "v", "max": 1, "sotf": true}]})",
            "/limits/0/sotf: unknown key; did you mean soft?"},
        Row{R"({"limits": [{"value": "v", "max": 1}]})", "/limits/0/name: is missing"},
        Row{R"({"limits": [{"name": "a", "max": 1}]})", "/limits/0/value: is missing"},
        Row{R"({"limits": [{"name": "a", "value": "v"}]})", "/limits/0/max: is missing"},
        Row{R"({"limits": [{"name": "cpu_core", "value": "v", "max": 1}]})",
            "/limits/0/name: \"cpu_core\" is a limit that the agent has already"},
        Row{R"({"limits": [{"name": "wcs_silent", "value": "v", "max": 1}]})",
            "/limits/0/name: \"wcs_silent\" is another reason for which a node may be down"},
        Row{R"({"limits": [{"name": "a", "value": "v", "max": 1},
                           {"name": "a", "value": "w", "max": 1}]})",
            "/limits/1/name: \"a\" listed twice"},
        Row{R"({"limits": [{"name": "1a", "value": "v", "max": 1}]})",
            "/limits/0/name: must be a letter and then"},
        Row{R"({"limits": [{"name": "a-b", "value": "v", "max": 1}]})",
            "/limits/0/name: must be a letter and then"},
        Row{R"({"limits": [{"name": "Ab", "value": "v", "max": 1}]})",
            "/limits/0/name: must be a letter and then"},
        Row{R"({"limits": [{"name": "", "value": "v", "max": 1}]})",
            "/limits/0/name: must be a string"},
        Row{R"({"limits": [{"name": "a", "value": [], "max": 1}]})",
            "/limits/0/value: must name at least one number of the page"},
        Row{R"({"limits": [{"name": "a", "value": ["v", "x=y"], "max": 1}]})",
            "/limits/0/value/1: \"x=y\" can be no name on the page"},
        Row{R"({"limits": [{"name": "a", "value": ["v", "v"], "max": 1}]})",
            "/limits/0/value/1: \"v\" listed twice"},
        Row{R"({"limits": [{"name": "a", "value": "v", "of": [], "max": "1%"}]})",
            "/limits/0/of: must name at least one number of the page"},
        Row{R"({"limits": [{"name": "a", "value": "v", "max": "80%"}]})",
            "/limits/0/max: \"80%\" is a percentage, and there is no `of` that it is of"},
        Row{R"({"limits": [{"name": "a", "value": "v", "of": "w", "max": 80}]})",
            "/limits/0/max: must be a percentage of the sum of `of`, such as \"80%\""},
        Row{R"({"limits": [{"name": "a", "value": "v", "of": "w", "max": "1001%"}]})",
            "greater than 0 and up to \"1000%\", or \"off\", not \"1001%\""},
        Row{R"({"limits": [{"name": "a", "value": "v", "max": -1}]})",
            "/limits/0/max: must be a number greater than 0 and up to 1000000000000000, or"},
        Row{R"({"limits": [{"name": "a", "value": "v", "max": 1, "soft": 1}]})",
            "/limits/0/soft: must be true or false"},
        Row{R"({"bandout": 1})", "/bandout: unknown key; did you mean band_out?"},
        Row{R"({"colour": "red"})", "/colour: unknown key"},
    };
    for (const Row& row : rows) {
        SCOPED_TRACE(row.values);
        Config config;
        const ConfigErrors errors = apply_settings(config, Json::parse(row.values));
        EXPECT_THAT(errors, SizeIs(1));
        EXPECT_THAT(to_string(errors), HasSubstr(row.fault));
        EXPECT_EQ(show_settings(config), show_settings(Config()))
            << "a faulty value changes nothing";
    }
}

TEST(Settings, AllFaultsInTheOrderWritten) {
    Config config;
    const ConfigErrors errors = apply_settings(
        config, Json::parse(R"({"window": 1, "cpu": 80, "allow": ["x", "::1", "y"], "zzz": {}})"));
    std::vector<std::string> places;
    for (const ConfigError& error : errors) {
        places.push_back(error.where);
    }
    EXPECT_THAT(places, ElementsAre("/window", "/allow/0", "/allow/2", "/zzz"));
    EXPECT_EQ(named(config.limits, "cpu").maximum, 80)
        << "a faulty neighbour takes nothing with it";
}

TEST(Settings, AllFaultsOfOwnLimitsAtOnce) {
    Config config;
    const ConfigErrors errors = apply_settings(config, Json::parse(R"({"limits": [
        {"name": "cpu", "value": 1, "max": "x", "of": "w", "sfot": 1},
        {"name": "fine", "value": "v", "max": 3},
        {"max": 0}]})"));
    std::vector<std::string> places;
    for (const ConfigError& error : errors) {
        places.push_back(error.where);
    }
    EXPECT_THAT(places, ElementsAre("/limits/0/name", "/limits/0/value", "/limits/0/max",
                                    "/limits/0/sfot", "/limits/2/name", "/limits/2/value"));
    EXPECT_EQ(config.limits, default_limits()) << "faulty ones take their neighbours with them";
}

TEST(Settings, AsManyOwnLimitsAsCanBeRead) {
    Json limits = Json::array();
    for (int i = 0; i < 32; ++i) {
        limits.push_back({{"name", "limit" + std::to_string(i)}, {"value", "v"}, {"max", 1}});
    }
    Config config;
    EXPECT_THAT(apply_settings(config, {{"limits", limits}}), IsEmpty());
    EXPECT_THAT(apply_settings(config, {{"limits", limits}}), IsEmpty()) << "they take the place";
    EXPECT_THAT(config.limits, SizeIs(built_in_limits.size() + 32));
    limits.push_back({{"name", "one_more"}, {"value", "v"}, {"max", 1}});
    EXPECT_THAT(to_string(apply_settings(config, {{"limits", limits}})),
                HasSubstr("/limits: must have at most 32 limits, not 33"));
}

TEST(Settings, ConflictsBetweenFieldsThatAreFineAlone) {
    struct Row {
        std::string_view values;
        std::vector<std::string> conflicts;
    };
    const std::array rows{
        Row{R"({"sample_interval": "2s"})", {}},
        Row{R"({"sample_interval": "3s"})", {"window, 2s, is shorter than sample_interval, 3s"}},
        Row{R"({"cpu_window": "200ms"})",
            {"cpu_window, 200ms, is shorter than sample_interval, 250ms"}},
        Row{R"({"sample_interval": "3s", "window": "3s"})", {}},
        Row{R"({"stale_after": "1s"})",
            {"stale_after, 1s, is not longer than wcs_interval, 1s: the counts would be stale "
             "between two fetches"}},
        Row{R"({"metrics_listen": ["127.0.0.1:9708", "0.0.0.0:9707"]})",
            {"metrics_listen and agent_listen both have 0.0.0.0:9707"}},
        Row{R"({"metrics_listen": "127.0.0.1:0", "agent_listen": "127.0.0.1:0"})", {}},
        Row{R"({"wcs_ca_file": "ca.pem", "wcs_insecure": true})",
            {"wcs_insecure takes any certificate, so nothing would be verified by wcs_ca_file: "
             "give "
             "one of them"}},
        Row{R"({"peaks": true, "band_out_peak": 100})", {}},
        Row{R"({"peaks": false, "band_out_peak": 100})",
            {"band_out_peak is held against the peaks, which are off: set peaks"}},
    };
    for (const Row& row : rows) {
        SCOPED_TRACE(row.values);
        Config config;
        ASSERT_THAT(apply_settings(config, Json::parse(row.values)), IsEmpty());
        std::vector<std::string> conflicts;
        for (const Conflict& conflict : find_conflicts(config)) {
            conflicts.push_back(conflict.what);
        }
        EXPECT_EQ(conflicts, row.conflicts);
    }
}

TEST(Settings, AutoLeavesItToTheAgent) {
    Config config;
    const auto auto_again = R"({"policy": "headroom", "capacity": "auto",
                                "capacity_reference": "auto", "balancers": "auto"})";
    config.weight.policy = WeightPolicy::proportional;
    config.weight.capacity = config.weight.capacity_reference = 5;
    config.weight.balancers = 5;
    EXPECT_EQ(to_string(apply_settings(config, Json::parse(auto_again))), "");
    EXPECT_EQ(config.weight, WeightSettings());
}

TEST(Settings, DefaultsAreTheContracts) {
    const Config config;
    EXPECT_THAT(find_conflicts(config), IsEmpty());
    EXPECT_EQ(show_settings(config)["agent_listen"], Json({"0.0.0.0:9707", "[::]:9707"}));
    EXPECT_EQ(show_settings(config)["allow"], Json({"127.0.0.0/8", "::1"}));
    EXPECT_EQ(show_settings(config)["metrics_listen"], Json({"127.0.0.1:9708"}));
    EXPECT_EQ(named(config.limits, "cpu").maximum, 90);
    for (const char* name : {"publishers", "subscribers", "hls", "band_in", "band_out"}) {
        EXPECT_EQ(named(config.limits, name).maximum, 100) << name;
    }
    EXPECT_EQ(named(config.limits, "ports").maximum, 95);
    EXPECT_EQ(named(config.limits, "udp_loss").maximum, 1);
    for (const char* name : {"cpu_core", "band_out_peak"}) {
        EXPECT_FALSE(named(config.limits, name).maximum) << name;
    }
    for (const auto& limit : config.limits) {
        EXPECT_EQ(limit.soft, limit.name == "udp_loss" || limit.name == "band_out_peak");
    }
}

TEST(Settings, WhatChangedIsSaidWithItsValues) {
    const Config before;
    Config after = before;
    after.window = std::chrono::seconds(5);
    EXPECT_THAT(changed_settings(before, after),
                testing::ElementsAre(SettingChange{"window", "2s", "5s", false}));
    after.kernel_pin = true;
    after.counts.hls = {"hls"};
    EXPECT_THAT(changed_settings(before, after),
                testing::IsSupersetOf({SettingChange{"kernel.pin", "off", "on", true}}));
    after = before;
    apply_settings(after, Json::parse(R"({"limits": [{"name": "a", "value": "v", "max": 3}]})"));
    EXPECT_THAT(
        changed_settings(before, after),
        testing::ElementsAre(SettingChange{
            "limits", "none", R"([{"name":"a","value":["v"],"max":3,"soft":false}])", false}));
}

TEST(Settings, DefaultsAreWrittenAsAPersonWould) {
    const struct {
        const char* name;
        const char* text;
    } rows[] = {
        {"agent_listen", "0.0.0.0:9707, [::]:9707"},
        {"web_config_file", "none"},
        {"wcs_interval", "1s"},
        {"peaks", "on"},
        {"follow_interfaces", "on"},
        {"cpu", "90"},
        {"recover", "0.95"},
    };
    for (const auto& row : rows) {
        SCOPED_TRACE(row.name);
        const auto setting = std::ranges::find(settings(), row.name, &Setting::name);
        ASSERT_NE(setting, settings().end());
        EXPECT_EQ(default_text(*setting), row.text);
    }
}

TEST(Settings, EachHasAHelpAndADefault) {
    for (const auto& setting : settings()) {
        SCOPED_TRACE(setting.name);
        EXPECT_FALSE(setting.help.empty());
        EXPECT_FALSE(default_text(setting).empty());
    }
}

}  // namespace
}  // namespace wcs_node_agent
