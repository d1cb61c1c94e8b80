// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <wcs_node_agent/result.hpp>

#include <chrono>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace wcs_node_agent::sim {

/// One section of the page, under its header in the text and its group in JSON.
struct Section {
    std::string_view header;
    std::string_view group;
    std::string_view prefix;  // new names that begin so belong here
    std::vector<std::pair<std::string, std::string>> entries;
};

/// The sections of a WCS that does nothing.
std::vector<Section> idle_sections();

/// What goes wrong with the next answers. Everything off by default.
struct Faults {
    std::chrono::milliseconds delay{};  // before the answer
    int status = 0;                     // instead of 200
    bool garbage = false;               // bytes that are no page
    std::size_t truncate = 0;           // bytes of the body sent before the connection is closed
    bool hang = false;                  // never an answer
    std::size_t size_mb = 0;            // the page padded to so many MiB
    bool refuse = false;                // nobody listens
    std::size_t bytes_per_second = 0;   // of the body
    bool chunked = false;               // in chunks, without Content-Length: no fault of HTTP
    bool reset = false;                 // the connection is reset in the midst of the body
};

/// Everything that can be set while the simulator runs.
struct Simulation {
    std::vector<Section> sections = idle_sections();
    Faults faults;
    double media_mbps = 0;    // 10^6 bit/s of UDP payload
    std::size_t streams = 0;  // listed at the page's end, one entry of about 100 bytes each
    std::chrono::milliseconds ping_interval{5000};  // of the WebSocket's keep-alive, as in WCS
    unsigned ping_probes = 10;                      // unanswered ones that end a session
};

using Setting = std::pair<std::string, std::string>;

/// The simulation with all settings made, or what is wrong with the first bad one. A setting is a
/// fault, `media_mbps`, `streams`, `ping_ms`, `ping_probes`, a name on the page (an empty value
/// takes it off the page) or a new name that begins like those of its section.
Result<Simulation> with_settings(Simulation simulation, std::span<const Setting> settings);

enum class PageFormat { text, json };

/// The page's body. A group narrows the page to it; padding is added, garbage is not.
std::string page_body(const Simulation& simulation, PageFormat format, std::string_view group);

/// Bytes that are no page, the same each time.
std::string garbage_body();

}  // namespace wcs_node_agent::sim
