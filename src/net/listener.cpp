// SPDX-License-Identifier: Apache-2.0
#include "net/listener.hpp"

#include "net/use_tuple.hpp"

#include <algorithm>
#include <cctype>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <iterator>
#include <limits>
#include <map>
#include <netinet/in.h>
#include <new>
#include <optional>
#include <sstream>
#include <string_view>
#include <sys/socket.h>
#include <tuple>
#include <unistd.h>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/system/system_error.hpp>
#include <fmt/format.h>
#include <spdlog/spdlog.h>

namespace wcs_node_agent {

namespace {

using boost::system::error_code;
using FreeBind = asio::detail::socket_option::boolean<IPPROTO_IP, IP_FREEBIND>;
using FreeBindV6 = asio::detail::socket_option::boolean<IPPROTO_IPV6, IPV6_FREEBIND>;
using ReusePort = asio::detail::socket_option::boolean<SOL_SOCKET, SO_REUSEPORT>;

constexpr auto accept_pause = std::chrono::milliseconds(100);
constexpr auto retirement = std::chrono::milliseconds(100);  // of a port that is not wanted
constexpr int accepts_in_a_row = 64;  // then the loop's other work gets its turn

std::string to_text(const tcp::endpoint& endpoint) {
    std::ostringstream text;
    text << endpoint;
    return text.str();
}

std::string lower_first(std::string text) {
    if (!text.empty()) text[0] = static_cast<char>(std::tolower(text[0]));
    return text;
}

/// Whether the wide endpoint takes connections to the other one too.
bool covers(const tcp::endpoint& wide, const tcp::endpoint& endpoint) {
    return wide.address().is_unspecified() && wide.port() == endpoint.port() &&
           wide.protocol() == endpoint.protocol();
}

/// An address that no interface has yet, as DHCP gives it later, is no reason not to start.
void bind_to(tcp::acceptor& acceptor, const tcp::endpoint& asked, std::string_view setting) {
    error_code error;
    acceptor.bind(asked, error);
    if (!error) return;
    if (error != boost::system::errc::address_not_available)
        throw boost::system::system_error(error);
    if (asked.address().is_v6())
        acceptor.set_option(FreeBindV6(true));
    else
        acceptor.set_option(FreeBind(true));
    acceptor.bind(asked);
    spdlog::warn("{} {}: no interface has this address yet: it answers there once one has", setting,
                 to_text(asked));
}

/// A socket of both families, as systemd may pass it, has IPv4 sources as ::ffff:a.b.c.d.
tcp::endpoint unmapped(const tcp::endpoint& source) {
    const auto address = source.address();
    if (!address.is_v6() || !address.to_v6().is_v4_mapped()) return source;
    return {asio::ip::make_address_v4(asio::ip::v4_mapped, address.to_v6()), source.port()};
}

bool is_every_v6_address(const tcp::endpoint& endpoint) {
    return endpoint.address().is_v6() && endpoint.address().is_unspecified();
}

}  // namespace

Listener::Listener(asio::any_io_executor executor, std::string setting, std::string allowed_by,
                   OpenConnections::Limits limits, AgentCounters& counters,
                   OnConnection on_connection)
    : executor_(std::move(executor)),
      setting_(std::move(setting)),
      refusals_(setting_, std::move(allowed_by)),
      counters_(counters),
      on_connection_(std::move(on_connection)),
      connections_(limits) {}

void Listener::allow(AllowList allowed) {
    allowed_ = std::move(allowed);
    connections_.close_unless(
        [this](const asio::ip::address& source) { return allowed_.contains(source); });
}

Result<void> Listener::listen(std::span<const tcp::endpoint> endpoints) {
    std::vector<ListenAt> all;
    for (const auto& endpoint : endpoints) all.push_back({.endpoint = endpoint});
    return listen(all);
}

const std::string& Listener::setting_of(const ListenAt& asked) const {
    return asked.setting.empty() ? setting_ : asked.setting;
}

Result<void> Listener::listen(std::span<const ListenAt> endpoints) {
    std::vector<Port> next;
    std::vector<const ListenAt*> askers;  // of each of next
    std::vector<Port> opened;
    std::vector<Port> olds = ports_;  // port 0 may be asked for twice: each keeps one
    std::vector<Port> retired = retired_;
    std::map<std::string, Error> no_v6;  // by setting
    for (const auto& asked : endpoints) {
        auto port = take_out(olds, asked.endpoint);
        if (!port) port = take_out(retired, asked.endpoint);
        try {
            if (!port) port = opened.emplace_back(open(asked));
            next.push_back(*std::move(port));
            askers.push_back(&asked);
        } catch (const boost::system::system_error& failure) {
            Error error{fmt::format("{} {}: {}", setting_of(asked), to_text(asked.endpoint),
                                    lower_first(failure.code().message())),
                        failure.code()};
            if (failure.code() != asio::error::address_family_not_supported ||
                !is_every_v6_address(asked.endpoint))
                return error;
            no_v6.insert_or_assign(setting_of(asked), std::move(error));
        }
    }
    for (const auto& [setting, error] : no_v6) {
        const auto is_of_it = [&](const ListenAt* asked) { return setting_of(*asked) == setting; };
        if (std::ranges::none_of(askers, is_of_it)) return error;
        spdlog::info("{}; left out", error.what);
    }

    for (std::size_t i = 0; i < next.size(); ++i)
        *next[i].receiver = askers[i]->on_connection ? askers[i]->on_connection : on_connection_;
    ports_ = std::move(next);
    retired_ = std::move(retired);
    std::ranges::move(olds, std::back_inserter(retired_));
    close_retired_soon();
    for (const Port& port : opened) asio::co_spawn(executor_, accept_from(port), asio::detached);
    return {};
}

/// The kernel lets sockets of one user alone share a port, and the run before may have been
/// another's.
void Listener::adopt(Descriptor socket, const tcp::endpoint& at) {
    for (const auto* ports : {&ports_, &retired_})
        if (std::ranges::find(*ports, at, &Port::asked) != ports->end()) return;
    std::ignore = ::fchown(socket.get(), ::geteuid(), ::getegid());
    auto acceptor = std::make_shared<tcp::acceptor>(executor_);
    acceptor->assign(at.protocol(), socket.get());
    socket.release();
    acceptor->non_blocking(true);
    const Port& port =
        retired_.emplace_back(Port{.asked = at,
                                   .acceptor = std::move(acceptor),
                                   .receiver = std::make_shared<OnConnection>(on_connection_)});
    asio::co_spawn(executor_, accept_from(port), asio::detached);
}

std::vector<Listener::OpenPort> Listener::open_ports() const {
    std::vector<OpenPort> open;
    for (const Port& port : ports_)
        if (port.asked.port() != 0) open.push_back({port.asked, port.acceptor->native_handle()});
    for (const Port& port : retired_)
        if (is_covered(port.asked)) open.push_back({port.asked, port.acceptor->native_handle()});
    return open;
}

std::vector<tcp::endpoint> Listener::endpoints() const {
    std::vector<tcp::endpoint> bound;
    bound.reserve(ports_.size());
    for (const Port& port : ports_) bound.push_back(port.acceptor->local_endpoint());
    return bound;
}

void Listener::give_to(uid_t user, gid_t group) {
    for (const Port& port : ports_)
        if (::fchown(port.acceptor->native_handle(), user, group) != 0)
            spdlog::warn("{} {}: cannot be given to user {}: {}", setting_, to_text(port.asked),
                         user, std::strerror(errno));
}

void Listener::stop() {
    for (auto* ports : {&ports_, &retired_}) {
        for (const Port& port : *ports) port.acceptor->close();
        ports->clear();
    }
}

std::optional<Listener::Port> Listener::take_out(std::vector<Port>& ports,
                                                 const tcp::endpoint& asked) {
    const auto found = std::ranges::find(ports, asked, &Port::asked);
    if (found == ports.end()) return {};
    Port port = std::move(*found);
    ports.erase(found);
    return port;
}

bool Listener::is_covered(const tcp::endpoint& endpoint) const {
    return std::ranges::any_of(ports_,
                               [&](const Port& port) { return covers(port.asked, endpoint); });
}

/// To close a listening socket resets the connections in its queue, and those of which the
/// handshake is under way. A narrower one than what is asked for now would still get those that are
/// meant for both, so it stays. Any other takes connections for one round trip more: whoever else
/// listens there now gets the new ones.
void Listener::close_retired_soon() {
    for (Port& port : retired_) {
        if (is_covered(port.asked)) continue;
        port.retired = Clock::now();
        asio::co_spawn(executor_, close_retired(port.acceptor), asio::detached);
    }
}

asio::awaitable<void> Listener::close_retired(std::shared_ptr<tcp::acceptor> acceptor) {
    asio::steady_timer timer(executor_, retirement);
    co_await timer.async_wait(use_tuple);
    const auto found = std::ranges::find(retired_, acceptor, &Port::acceptor);
    if (found == retired_.end()) co_return;  // stopped, or revived
    // If it has been retired again since, that has its own end.
    if (is_covered(found->asked) || Clock::now() - found->retired < retirement) co_return;
    const Port port = std::move(*found);
    retired_.erase(found);
    std::ignore = accept_waiting(port, std::numeric_limits<int>::max());
    acceptor->close();
}

Listener::Port Listener::open(const ListenAt& wanted) const {
    const auto& asked = wanted.endpoint;
    auto acceptor = std::make_shared<tcp::acceptor>(executor_, asked.protocol());
    acceptor->set_option(tcp::acceptor::reuse_address(true));
    if (asked.address().is_v6()) acceptor->set_option(asio::ip::v6_only(true));
    // From 0.0.0.0:9707 to 127.0.0.1:9707 the new socket must bind before the old one goes. That
    // takes SO_REUSEPORT on both; a second agent has no old one, and finds the port in use.
    const auto share_with = [&](const std::vector<Port>& olds) {
        for (const Port& old : olds) {
            if (asked.port() == 0 || old.asked.port() != asked.port()) continue;
            old.acceptor->set_option(ReusePort(true));
            acceptor->set_option(ReusePort(true));
        }
    };
    for (const Listener* listener : {this, other_}) {
        if (listener == nullptr) continue;
        share_with(listener->ports_);
        share_with(listener->retired_);
    }
    bind_to(*acceptor, asked, setting_of(wanted));
    acceptor->listen(tcp::acceptor::max_listen_connections);
    acceptor->non_blocking(true);
    return {.asked = asked, .acceptor = acceptor, .receiver = std::make_shared<OnConnection>()};
}

asio::awaitable<void> Listener::accept_from(Port port) {
    const auto& acceptor = port.acceptor;
    asio::steady_timer pause(executor_);
    error_code last;
    while (acceptor->is_open()) {
        co_await acceptor->async_wait(tcp::acceptor::wait_read, use_tuple);
        if (!acceptor->is_open()) break;
        const error_code error = accept_waiting(port, accepts_in_a_row);
        if (error && error != last) spdlog::warn("{}: accept: {}", setting_, error.message());
        if (!error && last) spdlog::info("{}: accepting again", setting_);
        last = error;
        if (error) {
            // With no descriptor or memory left the next one stays in the queue, and the socket
            // readable.
            pause.expires_after(accept_pause);
            co_await pause.async_wait(use_tuple);
        }
    }
}

error_code Listener::accept_waiting(const Port& port, int most) {
    auto& acceptor = *port.acceptor;
    for (int i = 0; i < most && acceptor.is_open(); ++i) {
        // Not Asio's accept(): it enters each socket into the epoll set, which a check never needs.
        tcp::endpoint source;
        auto size = static_cast<socklen_t>(source.capacity());
        const int socket =
            ::accept4(acceptor.native_handle(), source.data(), &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (socket < 0 && errno == EAGAIN) break;
        if (socket < 0) return {errno, boost::system::system_category()};
        source.resize(size);
        source = unmapped(source);
        try {
            hand_on({Descriptor(socket), source, nullptr}, *port.receiver);
        } catch (const std::exception&) {
            return make_error_code(boost::system::errc::not_enough_memory);  // this one is closed
        }
    }
    return {};
}

void Listener::take(Connection connection) { hand_on(std::move(connection), on_connection_); }

void Listener::hand_on(Connection connection, const OnConnection& receiver) {
    if (!allowed_.contains(connection.source.address())) {
        ++counters_.rejected_connections;
        const auto now = Clock::now();
        counters_.last_refused = {connection.source.address(), now, setting_};
        refusals_.report(connection.source.address(), now);
        return;
    }
    const auto before = connections_.evicted();
    connection.slot = connections_.enter(connection.source.address());
    counters_.displaced_connections += connections_.evicted() - before;
    receiver(std::move(connection));
}

}  // namespace wcs_node_agent
