// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <utility>

#include <boost/asio/ip/address.hpp>

namespace wcs_node_agent {

/// What counts as one source. A host has a whole /64 of IPv6 addresses to connect from.
boost::asio::ip::address source_of(const boost::asio::ip::address& from);

/// The connections that a server has open. Where one source, or all together, have as many as they
/// may, an older one is evicted: a finished one first, then an idle one, then a working one, of
/// each phase the one that has been in it for longest. So whoever connects is served, and nobody
/// keeps others out by staying.
class OpenConnections {
 public:
    struct Limits {
        std::size_t in_all;
        std::size_t per_source;  // an IPv4 address, or the /64 network of an IPv6 address

        bool operator==(const Limits&) const = default;
    };

    class Slot;

    explicit OpenConnections(Limits limits) : limits_(limits) {}
    OpenConnections(const OpenConnections&) = delete;
    OpenConnections& operator=(const OpenConnections&) = delete;
    ~OpenConnections();

    /// A slot for a working connection, for which others may have been evicted.
    std::unique_ptr<Slot> enter(const boost::asio::ip::address& from);

    /// Closes the connections whose source is not allowed.
    void close_unless(const std::function<bool(const boost::asio::ip::address&)>& allowed);

    /// From the next connection on.
    void limit(Limits limits) { limits_ = limits; }

    std::size_t size() const { return size_; }

    /// How many have been evicted so far.
    std::uint64_t evicted() const { return evicted_; }

 private:
    /// In the order of eviction.
    enum class Phase {
        finished,  // its last answer has been sent
        idle,      // it waits for the next request
        working,
    };

    using Queue = std::list<Slot*>;  // the one that has been in the phase for longest first
    struct Queues {
        Queue& of(Phase phase) { return by_phase[static_cast<std::size_t>(phase)]; }

        std::array<Queue, 3> by_phase;
    };
    struct Source {
        std::size_t size = 0;
        Queues queues;
    };
    using Sources = std::map<boost::asio::ip::address, Source>;

    void evict_from(Queues& queues);

    Limits limits_;
    std::size_t size_ = 0;
    std::uint64_t evicted_ = 0;
    Queues queues_;
    Sources sources_;
};

/// One connection's share of the limits; destroying it frees the slot.
class OpenConnections::Slot {
 public:
    Slot(OpenConnections& connections, Sources::iterator source,
         const boost::asio::ip::address& from);
    Slot(const Slot&) = delete;
    Slot& operator=(const Slot&) = delete;
    ~Slot();

    /// How to close the connection when it is evicted or not allowed any more. The slot may be
    /// destroyed in it.
    void on_close(std::function<void()> close) { close_ = std::move(close); }

    void set_finished() { move_to(Phase::finished); }
    void set_idle() { move_to(Phase::idle); }
    void set_working() { move_to(Phase::working); }

 private:
    friend class OpenConnections;

    void move_to(Phase phase);
    void leave();
    void close();

    OpenConnections* connections_;  // null: it has left
    Sources::iterator source_;
    boost::asio::ip::address address_;
    Phase phase_ = Phase::working;
    Queue::iterator in_all_;
    Queue::iterator in_source_;
    std::function<void()> close_;
};

}  // namespace wcs_node_agent
