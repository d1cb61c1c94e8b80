// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <wcs_node_agent/clock.hpp>

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace wcs_node_agent {

enum class Protocol { webrtc, rtmp, rtsp };

inline constexpr std::array all_protocols{Protocol::webrtc, Protocol::rtmp, Protocol::rtsp};

constexpr std::string_view to_string(Protocol protocol) {
    constexpr std::array<std::string_view, all_protocols.size()> names{"webrtc", "rtmp", "rtsp"};
    return names[static_cast<std::size_t>(protocol)];
}

/// The names on the WCS page that make up each count; several names are added up.
struct CountNames {
    std::array<std::vector<std::string>, all_protocols.size()> publishers{
        {{"streams_webrtc_in"}, {"streams_rtmp_in"}, {"streams_rtsp_in"}}};
    std::array<std::vector<std::string>, all_protocols.size()> subscribers{
        {{"streams_webrtc_out"}, {"streams_rtmp_out"}, {"streams_rtsp_out"}}};
    std::vector<std::string> hls{"streams_hls"};
    std::vector<std::string> connections{"connections"};  // none: they are not counted

    bool operator==(const CountNames&) const = default;
};

/// The statistics page, taken apart: every key with a number, and the rest as it stood.
struct WcsPage {
    std::map<std::string, double, std::less<>> numbers;
    std::map<std::string, std::string, std::less<>> texts;
    std::map<std::string, double, std::less<>> disputed;  // of different numbers the lowest
    std::size_t left_out = 0;  // entries past the bound, or that cannot be read
};

/// Streams by protocol. A name that the page lacks is unknown, and so is a sum that needs it.
struct StreamCounts {
    std::array<std::optional<double>, all_protocols.size()> publishers{};   // by Protocol
    std::array<std::optional<double>, all_protocols.size()> subscribers{};  // by Protocol
    std::optional<double> hls;
    std::string missing;  // the first name that was looked for and not there; empty: none

    /// What is known of each, whatever is missing: it is no more than the true count.
    std::optional<double> publishers_at_least = {}, subscribers_at_least = {}, hls_at_least = {};

    bool operator==(const StreamCounts&) const = default;
};

/// Why a fetch of the page gave nothing to count from.
enum class WcsFault {
    none,
    connect,
    timeout,
    tls,
    http_status,
    too_large,
    truncated,
    not_a_page,
    missing_name
};

inline constexpr std::array all_wcs_faults{
    WcsFault::connect,   WcsFault::timeout,   WcsFault::tls,        WcsFault::http_status,
    WcsFault::too_large, WcsFault::truncated, WcsFault::not_a_page, WcsFault::missing_name};

constexpr std::string_view to_string(WcsFault fault) {
    switch (fault) {
        case WcsFault::none:
            return "none";
        case WcsFault::connect:
            return "connect";
        case WcsFault::timeout:
            return "timeout";
        case WcsFault::tls:
            return "tls";
        case WcsFault::http_status:
            return "http_status";
        case WcsFault::too_large:
            return "too_large";
        case WcsFault::truncated:
            return "truncated";
        case WcsFault::not_a_page:
            return "not_a_page";
        case WcsFault::missing_name:
            return "missing_name";
    }
    return "unknown";
}

/// A count and when WCS last gave it.
struct HeldCount {
    double value = 0;
    Clock::time_point at;
};

/// What is known of WCS. Counts outlive a failed fetch; their age says how far they can be trusted.
struct WcsState {
    bool asked = false;                        // a first fetch has ended, well or not
    WcsFault fault = WcsFault::none;           // of the last fetch
    std::string fault_text;                    // one line for people; empty without a fault
    bool silent = false;                       // nothing answered the last fetch in time
    std::optional<Clock::time_point> page_at;  // when the last page that parsed came
    std::chrono::nanoseconds page_pause{};     // since then this process did not run for so long
    std::shared_ptr<const WcsPage> page = std::make_shared<WcsPage>();  // that page; never null
    StreamCounts counts;                                                // from that page
    std::optional<HeldCount> publishers, subscribers, hls;  // merged over protocols, last known
    std::array<std::uint64_t, all_wcs_faults.size() + 1> faults_total{};  // by WcsFault
    std::chrono::nanoseconds fetch_duration{};                            // of the last fetch

    /// WCS answered the last time it was asked. A page without a needed name is still an answer.
    bool up() const {
        return asked && (fault == WcsFault::none || fault == WcsFault::missing_name);
    }
};

}  // namespace wcs_node_agent
