// SPDX-License-Identifier: Apache-2.0
#include "haproxy/agent_server.hpp"
#include "unit/http/sample_snapshot.hpp"
#include "unit/net/loopback.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <sys/socket.h>
#include <vector>

#include <boost/asio/io_context.hpp>

using namespace wcs_node_agent;

namespace {

/// A client's end of a connection in memory.
struct Peer {
    Descriptor socket;
    std::string heard;

    void hear() {
        char buffer[4096];
        for (;;) {
            const auto size = ::recv(socket.get(), buffer, sizeof(buffer), MSG_DONTWAIT);
            if (size <= 0) return;
            heard.append(buffer, static_cast<std::size_t>(size));
        }
    }
};

Peer connect(AgentServer& server) {
    int ends[2];
    if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends) != 0)
        std::abort();
    server.take({Descriptor(ends[0]), {boost::asio::ip::address_v4::loopback(), 1}, nullptr});
    return {Descriptor(ends[1]), {}};
}

}  // namespace

/// Each byte is a step: a client comes, says something, ends its side, goes, or time passes; and
/// once the first snapshot comes. Who stays hears one whole reply, and nothing after it.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    boost::asio::io_context context;
    AgentCounters counters;
    AgentServer server(context.get_executor(), counters);
    auto& snapshots = server.node().current();
    server.allow(test::loopback_only());
    const auto snapshot = test::publishable(test::busy_node());
    std::vector<Peer> peers;
    std::size_t opened = 0;
    for (std::size_t i = 0; i < size; ++i) {
        const auto which = static_cast<std::size_t>(data[i] >> 3U);
        Peer* peer = peers.empty() ? nullptr : &peers[which % peers.size()];
        switch (data[i] & 7U) {
            case 0:
            case 1:
                // Of more from one source, those that left unnoticed included, some would be
                // evicted.
                if (peers.size() < 64 && opened < AgentServer::most_open.per_source) {
                    peers.push_back(connect(server));
                    ++opened;
                }
                break;
            case 2:
                if (peer) ::send(peer->socket.get(), data, size, MSG_NOSIGNAL | MSG_DONTWAIT);
                break;
            case 3:
                if (peer) ::shutdown(peer->socket.get(), SHUT_WR);
                break;
            case 4:
                if (peer) peers.erase(peers.begin() + static_cast<long>(which % peers.size()));
                break;
            case 5:
                if (!snapshots.get()) snapshots.publish(snapshot);
                break;
            default:
                context.poll();
                context.restart();
        }
    }
    if (!snapshots.get()) snapshots.publish(snapshot);
    context.poll();
    for (Peer& peer : peers) {
        peer.hear();
        if (peer.heard != snapshot->agent_reply) std::abort();
    }
    server.stop();
    return 0;
}
