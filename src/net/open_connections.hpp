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
/// may, an older one makes room: a finished one first, then an idle one, then one at work, of each
/// kind the one that has been so for longest. So whoever comes is served, and nobody keeps others
/// out by staying.
class OpenConnections {
 public:
    struct Limits {
        std::size_t in_all;
        std::size_t per_source;  // an IPv4 address, or the /64 network of an IPv6 address

        bool operator==(const Limits&) const = default;
    };

    class Place;

    explicit OpenConnections(Limits limits) : limits_(limits) {}
    OpenConnections(const OpenConnections&) = delete;
    OpenConnections& operator=(const OpenConnections&) = delete;
    ~OpenConnections();

    /// A place at work, for which others have made room.
    std::unique_ptr<Place> enter(const boost::asio::ip::address& from);

    /// Drops the connections of which the source is not allowed.
    void drop_unless(const std::function<bool(const boost::asio::ip::address&)>& allowed);

    /// From the next connection on.
    void limit(Limits limits) { limits_ = limits; }

    std::size_t size() const { return size_; }

    /// How many have made room for others so far.
    std::uint64_t displaced() const { return displaced_; }

 private:
    using Queue = std::list<Place*>;  // the one that has been there for longest first
    using Queues = std::array<Queue, 3>;
    struct Source {
        std::size_t size = 0;
        Queues queues;
    };
    using Sources = std::map<boost::asio::ip::address, Source>;

    void make_room_in(Queues& queues);

    Limits limits_;
    std::size_t size_ = 0;
    std::uint64_t displaced_ = 0;
    Queues queues_;
    Sources sources_;
};

/// Where one connection stands; destroying it gives the place back.
class OpenConnections::Place {
 public:
    Place(OpenConnections& connections, Sources::iterator source,
          const boost::asio::ip::address& from);
    Place(const Place&) = delete;
    Place& operator=(const Place&) = delete;
    ~Place();

    /// How to close the connection if it has to make room. The place may be destroyed in it.
    void on_drop(std::function<void()> drop) { drop_ = std::move(drop); }

    void finish() { move_to(0); }  // it has had its last answer
    void rest() { move_to(1); }    // it waits for the next request
    void work() { move_to(2); }    // it is being served

 private:
    friend class OpenConnections;

    void move_to(std::size_t queue);
    void leave();
    void drop();

    OpenConnections* connections_;  // null: it has left
    Sources::iterator source_;
    boost::asio::ip::address address_;
    std::size_t queue_ = 2;
    Queue::iterator in_all_;
    Queue::iterator in_source_;
    std::function<void()> drop_;
};

}  // namespace wcs_node_agent
