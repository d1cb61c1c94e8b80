// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <wcs_node_agent/agent_counters.hpp>
#include <wcs_node_agent/operator_word.hpp>
#include <wcs_node_agent/process_usage.hpp>
#include <wcs_node_agent/raw_counters.hpp>
#include <wcs_node_agent/receive_counters.hpp>
#include <wcs_node_agent/source.hpp>
#include <wcs_node_agent/verdict.hpp>
#include <wcs_node_agent/wcs_state.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace wcs_node_agent {

/// What cpu_core and udp_loss are means over: a core that is full for a moment, or a burst that
/// does not fit, is no reason to send a node less.
inline constexpr std::chrono::nanoseconds long_window = std::chrono::seconds(10);

struct Means {
    std::optional<double> bits_in;          // bit/s received, summed over the selected interfaces,
                                            // with wire_overhead for each frame
    std::optional<double> bits_out;         // bit/s sent, alike
    std::optional<double> cpu_utilisation;  // 0..1, mean over online CPUs
    std::optional<double> frames_in = {};   // frames/s received, of the same interfaces
    std::optional<double> frames_out = {};
    std::optional<double> cpu_max_utilisation = {};  // 0..1, of the busiest CPU, over long_window
    std::optional<double> udp_loss = {};  // 0..1, of the datagrams that came for sockets the share
                                          // lost in their buffers, over long_window
};

/// Means over the whole window, or long_window. Bandwidth is there only if every selected interface
/// was counted throughout: what could not be measured is absent, never 0.
struct Rates : Means {
    Means at_least = {};  // what is known of an absent one: of those interfaces that were counted
    Means so_far = {};    // since the start of counting, while that is younger than the window
    std::vector<std::uint32_t> uncounted = {};  // selected, but not counted now; ascending
};

/// Of the last second, bucket by bucket. Absent unless each selected interface was counted
/// throughout by the kernel programs.
struct Peaks {
    std::optional<double> bits_in = {};   // the highest rate, bit/s, of the selected interfaces
                                          // together, wire_overhead included
    std::optional<double> bits_out = {};  // bit/s
    std::optional<double> over_limit_in = {};   // 0..1, share of the buckets above band_in; absent
                                                // too where that is not checked
    std::optional<double> over_limit_out = {};  // alike, of band_out
    std::chrono::nanoseconds bucket{};          // the length of one
};

/// What HAProxy is told at some of the agent's endpoints, and why.
struct Answer {
    Verdict verdict;
    std::string agent_reply;  // one HAProxy line with its newline
    bool starting = false;    // the first reply is not due yet: the verdict is not one
};

/// Why the node is not up; empty: it is.
inline std::string_view cause_of(const Answer& answer) {
    return answer.starting ? causes::start : answer.verdict.cause;
}

/// That of a profile, with what its endpoints have been asked.
struct ProfileAnswer : Answer {
    std::string name;
    CheckCounters checks;
};

/// The node at one moment, with its own answer and those of its profiles. Immutable once published,
/// replaced whole.
struct Snapshot : Answer {
    Clock::time_point at;                        // when the counters were read
    std::chrono::system_clock::time_point wall;  // the same moment for people
    Clock::time_point started;                   // when the agent started
    Source source = Source::procfs;
    std::string source_detail;  // why not eBPF, or empty
    RawCounters counters;
    std::vector<std::string> selected_interfaces;  // included in the bandwidth limits
    Rates rates;
    Peaks peaks;
    ReceiveCounters receive;
    WcsState wcs;
    CountNames count_names;                  // what wcs.counts was made of
    std::chrono::nanoseconds stale_after{};  // from this age on WCS counts are unknown
    AgentCounters agent;
    ProcessUsage process;
    std::vector<ProfileAnswer> profiles;  // in the order of the configuration
    OperatorWord word = {};               // in all answers
    std::size_t awaiting_ready = 0;       // balancers that have to hear `ready` yet
};

}  // namespace wcs_node_agent
