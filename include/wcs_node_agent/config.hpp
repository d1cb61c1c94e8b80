// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <wcs_node_agent/limits.hpp>
#include <wcs_node_agent/source.hpp>
#include <wcs_node_agent/verdict.hpp>
#include <wcs_node_agent/wcs_state.hpp>

#include <chrono>
#include <cstddef>
#include <filesystem>
#include <string>
#include <vector>

#include <boost/asio/ip/network_v4.hpp>
#include <boost/asio/ip/network_v6.hpp>
#include <boost/asio/ip/tcp.hpp>

namespace wcs_node_agent {

/// Which addresses may connect. An IPv4-mapped IPv6 source is held against the IPv4 networks.
struct AllowList {
    std::vector<boost::asio::ip::network_v4> v4;
    std::vector<boost::asio::ip::network_v6> v6;

    bool contains(const boost::asio::ip::address& source) const;
    bool operator==(const AllowList&) const = default;
};

/// Everything that can be set, with its default. docs/configuration.md says what each means.
struct Config {
    std::vector<boost::asio::ip::tcp::endpoint> agent_listen;    // default: 0.0.0.0:9707, [::]:9707
    AllowList allow;                                             // default: loopback
    std::vector<boost::asio::ip::tcp::endpoint> metrics_listen;  // default: 127.0.0.1:9708
    AllowList metrics_allow;                                     // default: loopback
    std::string web_config_file;  // TLS and passwords of metrics_listen; empty: neither

    std::string wcs_url = "http://127.0.0.1:8081/?action=stat";
    std::chrono::nanoseconds wcs_interval = std::chrono::seconds(1);  // from fetch to fetch
    std::chrono::nanoseconds wcs_timeout = std::chrono::seconds(3);   // for one whole fetch
    std::size_t wcs_max_page = 16 << 20;                              // bytes
    std::size_t wcs_max_stats = 256;                                  // entries kept of a page
    CountNames counts;

    std::vector<std::string> interfaces;  // globs; empty: by default route
    SourceChoice source = SourceChoice::auto_detect;

    bool kernel_pin = false;  // counting goes on while no agent runs
    std::filesystem::path kernel_pin_folder = "/sys/fs/bpf/wcs-node-agent";

    ConfiguredLimits limits;  // default: cpu 90, the others 100
    double recover = 0.95;
    std::chrono::nanoseconds sample_interval = std::chrono::milliseconds(250);
    std::chrono::nanoseconds window = std::chrono::seconds(2);
    std::size_t wire_overhead = 0;  // bytes a frame that the rates have beside those counted
    bool peaks = false;             // measure the highest rate over 10 ms within each second
    std::chrono::nanoseconds stale_after = std::chrono::seconds(10);
    WhenStale when_stale = WhenStale::down;

    std::string user;               // whom root's process becomes; empty: see chosen_user()
    bool follow_interfaces = true;  // those that appear while it runs

    std::string log_level = "info";  // trace, debug, info, warning, error

    Config();
};

}  // namespace wcs_node_agent
