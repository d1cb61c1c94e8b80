// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <wcs_node_agent/clock.hpp>
#include <wcs_node_agent/result.hpp>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/udp.hpp>
#include <boost/asio/steady_timer.hpp>

namespace wcs_node_agent::sim {

/// UDP datagrams and the bytes in them, without headers.
struct MediaTotals {
    std::uint64_t bytes = 0;
    std::uint64_t packets = 0;
};

/// Sends datagrams of one size at a steady rate. What the kernel does not take is not sent later.
class MediaSender {
 public:
    /// The datagram size is 1..65507 bytes of payload.
    MediaSender(const boost::asio::any_io_executor& executor, boost::asio::ip::udp::endpoint to,
                std::size_t datagram_bytes);

    Result<void> open();

    /// Payload in Mbit/s (10^6 bit); 0 stops.
    void set_rate(double mbps);

    /// Sends beside it what mbps(now) says at each moment. To be called before run().
    void follow(std::function<double(Clock::time_point now)> mbps) { also_ = std::move(mbps); }

    /// Sends until the io_context ends.
    boost::asio::awaitable<void> run();

    const MediaTotals& sent() const { return sent_; }

 private:
    /// True while the kernel takes datagrams.
    bool send_one();

    boost::asio::ip::udp::socket socket_;
    boost::asio::ip::udp::endpoint to_;
    boost::asio::steady_timer timer_;
    std::string datagram_;
    double bytes_per_second_ = 0;
    std::function<double(Clock::time_point now)> also_;  // Mbit/s
    MediaTotals sent_;
};

/// Receives datagrams and counts them.
class MediaReceiver {
 public:
    explicit MediaReceiver(const boost::asio::any_io_executor& executor);

    /// Binds; port 0 is any free one.
    Result<void> open(const boost::asio::ip::udp::endpoint& at);

    boost::asio::ip::udp::endpoint endpoint() const;

    /// Receives until the io_context ends.
    boost::asio::awaitable<void> run();

    const MediaTotals& received() const { return received_; }

 private:
    boost::asio::ip::udp::socket socket_;
    MediaTotals received_;
};

}  // namespace wcs_node_agent::sim
