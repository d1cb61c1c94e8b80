// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <set>
#include <utility>

#include <boost/asio/ip/address.hpp>

namespace wcs_node_agent {

/// What counts as one source. A host has a whole /64 of IPv6 addresses to connect from.
boost::asio::ip::address source_of(const boost::asio::ip::address& from);

/// The connections that a server has open. Where one source has as many as it may, one of its own
/// is evicted for the next; where all together have, one of the source that has most, the new one
/// included. So under any pressure each source keeps an equal share (max-min fairness), whoever
/// connects is served, and nobody keeps others out by staying.
///
/// Of a source, and of sources that have equally many, a finished connection is evicted before one
/// that waits for its next request, and that before a working one; in each phase the one that has
/// been in it for longest. A connection works from the start: a client's first byte comes a round
/// trip after its connection, and who has sent a byte and goes no further must not outlive who is
/// about to ask.
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
        idle,      // it has been answered and waits for the next request
        working,
    };

    using Queue = std::list<Slot*>;  // the one that has been in the phase for longest first

    struct Source {
        Queue& of(Phase phase) { return by_phase[static_cast<std::size_t>(phase)]; }

        std::size_t size = 0;
        std::array<Queue, 3> by_phase;
    };
    using Sources = std::map<boost::asio::ip::address, Source>;

    /// Whose connection is evicted first.
    struct Order {
        bool operator()(Sources::iterator one, Sources::iterator other) const;
    };
    using Ranking = std::set<Sources::iterator, Order>;

    static Slot& first_of(const Source& source);
    template <class Change>
    void change(Sources::iterator source, Change change);
    void evict_from(const Source& source);

    Limits limits_;
    std::size_t size_ = 0;
    std::uint64_t evicted_ = 0;
    std::uint64_t changes_ = 0;  // of phases: they are numbered
    Sources sources_;
    Ranking ranking_;  // of all sources
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
    bool is_idle() const { return phase_ == Phase::idle; }

 private:
    friend class OpenConnections;

    void move_to(Phase phase);
    void leave();
    void close();

    OpenConnections* connections_;  // null: it has left
    Sources::iterator source_;
    boost::asio::ip::address address_;
    Phase phase_ = Phase::working;
    std::uint64_t since_;  // the number of its last change of phase
    Queue::iterator at_;
    std::function<void()> close_;
};

}  // namespace wcs_node_agent
