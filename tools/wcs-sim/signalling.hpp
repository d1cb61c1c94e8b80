// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wcs-sim/sdp.hpp"

#include <wcs_node_agent/clock.hpp>
#include <wcs_node_agent/result.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <nlohmann/json_fwd.hpp>

namespace wcs_node_agent::sim {

/// A stream of one session; `id` is the client's mediaSessionId.
struct StreamState {
    std::string id;
    std::string name;
    MediaDirection direction;  // receive: published to the server
};

/// A client's session, `id` as WCS makes it: /CLIENT/SERVER-UUID.
struct SessionState {
    std::string id;
    std::vector<StreamState> streams;
};

/// What the page counts of them.
struct LiveCounts {
    std::size_t sessions = 0;
    std::size_t published = 0;
    std::size_t played = 0;
    std::vector<std::pair<std::string, std::size_t>> viewers;  // by published stream, in name order
};

/// The server's side of the WebSDK's signalling: JSON messages {"message": NAME, "data": [...]}. It
/// knows sessions and streams, and no sockets.
class Signalling {
 public:
    using Client = std::uint64_t;
    using Send = std::function<void(std::string message)>;

    /// A client is there. `send` is called until it is disconnected, also while another one's
    /// message is being received.
    Client connect(std::string session_id, Send send);

    /// Acts on one message. The error says why this is not the protocol at all, so that the
    /// connection should end; what can be answered is answered with `fail` or a FAILED stream.
    Result<void> receive(Client client, std::string_view text);

    /// From now on players find a stream of that name, which no client publishes: as one that is
    /// pulled from another server.
    void provide(std::string name);

    /// What the players get, in Mbit/s: each the `bitrate` (kbit/s) that it asked for, after a rise
    /// from 0 within `rampMs` of its `custom` data.
    double media_mbps(Clock::time_point now) const;

    /// Sends the protocol's keep-alive; the client owes a `pong`.
    void ping(Client client);

    /// Ends the client's streams, as WCS does. Nothing is sent to it any more.
    void disconnect(Client client);

    LiveCounts counts() const;
    std::vector<SessionState> sessions() const;

 private:
    struct Stream {
        std::string name;
        MediaDirection direction;
        double mbps = 0;  // that a player asked for
        Seconds ramp{};
        Clock::time_point since{};

        double mbps_at(Clock::time_point now) const;
    };
    struct Session {
        std::string id;
        Send send;
        bool established = false;               // after `connection`
        std::map<std::string, Stream> streams;  // by mediaSessionId
    };

    void establish(Session& session, const nlohmann::json& data);
    void start(Client client, const nlohmann::json& data, MediaDirection direction);
    void stop(Client client, const nlohmann::json& data);
    void stop_players(const std::string& name);
    void report_availability(const Session& session, const nlohmann::json& data) const;
    void forward_event(Client client, const nlohmann::json& data) const;

    std::map<Client, Session> sessions_;
    std::set<std::string> published_;  // names
    std::set<std::string> provided_;
    Client last_ = 0;
};

}  // namespace wcs_node_agent::sim
