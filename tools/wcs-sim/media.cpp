// SPDX-License-Identifier: Apache-2.0
#include "wcs-sim/media.hpp"

#include <algorithm>
#include <chrono>
#include <utility>
#include <vector>

#include <boost/asio/buffer.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>
#include <fmt/ostream.h>

namespace wcs_node_agent::sim {

namespace asio = boost::asio;
using asio::ip::udp;
using boost::system::error_code;

namespace {

constexpr std::chrono::milliseconds pace{5};
constexpr Seconds longest_burst{0.05};  // after a stall, what is older is not sent at all
constexpr int receive_buffer = 4 << 20;
constexpr int receive_batch = 256;  // datagrams taken before others get their turn

double bytes_of_megabits(double megabits) { return megabits * 1e6 / 8; }

std::string cannot(std::string_view what, const udp::endpoint& where, error_code error) {
    return fmt::format("cannot {} {}: {}", what, fmt::streamed(where), error.message());
}

}  // namespace

MediaSender::MediaSender(const asio::any_io_executor& executor, udp::endpoint to,
                         std::size_t datagram_bytes)
    : socket_(executor), to_(std::move(to)), timer_(executor), datagram_(datagram_bytes, 'm') {}

Result<void> MediaSender::open() {
    error_code error;
    socket_.open(to_.protocol(), error);
    if (!error) {
        socket_.non_blocking(true, error);
    }
    if (error) {
        return Error{cannot("send to", to_, error)};
    }
    return {};
}

void MediaSender::set_rate(double mbps) {
    bytes_per_second_ = bytes_of_megabits(mbps);
    timer_.cancel();
}

asio::awaitable<void> MediaSender::run() {
    const auto size = static_cast<double>(datagram_.size());
    auto last = Clock::now();
    double due = 0;  // bytes
    for (;;) {
        error_code error;
        const bool sends = also_ || bytes_per_second_ > 0;
        timer_.expires_at(sends ? last + pace : Clock::time_point::max());
        co_await timer_.async_wait(asio::redirect_error(asio::use_awaitable, error));
        const auto now = Clock::now();
        const Seconds passed = now - last;
        last = now;
        if (error) {  // the rate has changed: begin anew
            due = 0;
            continue;
        }
        const double rate = bytes_per_second_ + (also_ ? bytes_of_megabits(also_(now)) : 0);
        due += std::min(passed, longest_burst).count() * rate;
        while (due >= size && send_one()) {
            due -= size;
        }
        due = std::min(due, longest_burst.count() * rate + size);
    }
}

bool MediaSender::send_one() {
    error_code error;
    const auto bytes = socket_.send_to(asio::buffer(datagram_), to_, 0, error);
    if (error) {
        return false;
    }
    sent_.bytes += bytes;
    ++sent_.packets;
    return true;
}

MediaReceiver::MediaReceiver(const asio::any_io_executor& executor) : socket_(executor) {}

Result<void> MediaReceiver::open(const udp::endpoint& at) {
    error_code error;
    socket_.open(at.protocol(), error);
    if (!error) {
        socket_.non_blocking(true, error);
    }
    if (!error) {
        socket_.bind(at, error);
    }
    if (error) {
        return Error{cannot("receive on", at, error)};
    }
    // The kernel grants what net.core.rmem_max allows.
    socket_.set_option(asio::socket_base::receive_buffer_size(receive_buffer), error);
    return {};
}

udp::endpoint MediaReceiver::endpoint() const {
    error_code ignored;
    return socket_.local_endpoint(ignored);
}

asio::awaitable<void> MediaReceiver::run() {
    std::vector<char> datagram(65536);
    udp::endpoint from;
    for (;;) {
        error_code error;
        co_await socket_.async_wait(udp::socket::wait_read,
                                    asio::redirect_error(asio::use_awaitable, error));
        for (int taken = 0; taken < receive_batch && !error; ++taken) {
            const auto bytes = socket_.receive_from(asio::buffer(datagram), from, 0, error);
            if (!error) {
                received_.bytes += bytes;
                ++received_.packets;
            }
        }
    }
}

}  // namespace wcs_node_agent::sim
