// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <wcs_node_agent/allow_list.hpp>
#include <wcs_node_agent/limits.hpp>
#include <wcs_node_agent/source.hpp>
#include <wcs_node_agent/verdict.hpp>
#include <wcs_node_agent/wcs_state.hpp>
#include <wcs_node_agent/wcs_url.hpp>
#include <wcs_node_agent/weight.hpp>

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/ip/tcp.hpp>

namespace wcs_node_agent {

/// By what an answer to HAProxy is made, and where HAProxy gets it.
struct AnswerSettings {
    std::vector<boost::asio::ip::tcp::endpoint> agent_listen{
        {boost::asio::ip::address_v4::any(), 9707}, {boost::asio::ip::address_v6::any(), 9707}};
    CountNames counts;
    Limits limits = default_limits();
    double recover = 0.95;
    WeightSettings weight;
    std::chrono::nanoseconds stale_after = std::chrono::seconds(10);
    WhenStale when_stale = WhenStale::down;         // WCS is silent
    WhenStale when_unreadable = WhenStale::ignore;  // anything else that makes a limit unknown
};

/// Another answer beside the node's own, with endpoints of its own.
struct Profile : AnswerSettings {
    std::string name;
    std::vector<std::string_view> own = {};  // settings that it has itself; the others are as above
};

/// How the operator's word comes to the agent, and what is done with it.
struct ControlSettings {
    std::string socket = "/run/wcs-node-agent/control.sock";  // empty: none, and no word
    std::string group;  // may use it beside root; empty: the group that the agent runs as
    std::filesystem::path state_file = "/var/lib/wcs-node-agent/operator.json";
    std::chrono::nanoseconds repeat_ready = std::chrono::seconds(30);  // from a balancer's first on
};

/// Who `status` and `top` are to the agent that they ask. Empty: not said.
struct ClientSettings {
    std::string username;
    std::string password_file;  // its first line
    std::string cert_file;      // PEM
    std::string key_file;       // PEM; empty: it is in cert_file
};

/// Everything that can be set, with its default. docs/configuration.md says what each means.
struct Config : AnswerSettings {
    std::vector<Profile> profiles;  // in the order of their names

    AllowList allow = AllowList::loopback();
    std::vector<boost::asio::ip::tcp::endpoint> metrics_listen{
        {boost::asio::ip::address_v4::loopback(), 9708}};
    AllowList metrics_allow = AllowList::loopback();
    std::string web_config_file;  // TLS and passwords of metrics_listen; empty: neither

    WcsUrl wcs_url{.text = "http://127.0.0.1:8081/?action=stat",
                   .host = "127.0.0.1",
                   .port = 8081,
                   .target = "/?action=stat"};
    std::string
        wcs_ca_file;  // whom the certificate of an https page is signed by; empty: the system's CAs
    bool wcs_insecure = false;                                        // any certificate will do
    std::chrono::nanoseconds wcs_interval = std::chrono::seconds(1);  // from fetch to fetch
    std::chrono::nanoseconds wcs_timeout = std::chrono::seconds(3);   // for one whole fetch
    std::size_t wcs_max_page = 1 << 20;                               // bytes
    std::size_t wcs_max_stats = 256;                                  // entries kept of a page

    std::vector<std::string> interfaces;  // globs; empty: by default route
    SourceChoice source = SourceChoice::auto_detect;

    bool kernel_pin = false;  // counting goes on while no agent runs
    std::filesystem::path kernel_pin_folder = "/sys/fs/bpf/wcs-node-agent";

    std::chrono::nanoseconds sample_interval = std::chrono::milliseconds(250);
    std::chrono::nanoseconds window = std::chrono::seconds(2);
    std::chrono::nanoseconds cpu_window{};  // of the CPU load; 0: window
    std::chrono::nanoseconds window_of_cpu() const {
        return cpu_window.count() > 0 ? cpu_window : window;
    }
    std::size_t wire_overhead = 0;  // bytes a frame that the rates have beside those counted
    bool peaks = true;              // measure the highest rate within each second

    std::string user;               // whom root's process becomes; empty: see chosen_user()
    bool follow_interfaces = true;  // those that appear while it runs

    ControlSettings control;
    ClientSettings client;

    std::string log_level = "info";  // trace, debug, info, warning, error
};

}  // namespace wcs_node_agent
