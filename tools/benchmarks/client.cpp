// SPDX-License-Identifier: Apache-2.0
// A client as cheap as can be, so that the server is what is measured: blocking sockets, one
// thread. With --at-once N it asks on N connections before it reads the first answer.
//
// With --every US it asks at fixed times, and a delay counts from when its turn was: a server that
// stands still delays all that come meanwhile, not only the one that happens to be waiting.
//
// --address ADDR:PORT, --cpu N (-1: any), --at-once N, --every US (0: one after the other),
// --seconds S or, if that is 0, --requests N
// --sources N: from 127.0.1.1 to 127.0.1.N in turn (0: from the kernel's own choice)
// --kind check: connects, reads to the end, closes, as HAProxy's agent check does
//        new:   GET --path as Prometheus does, each on a connection of its own
//        kept:  the same on connections that stay open
//        hello: sends a byte that may begin a TLS handshake, and closes
// Prints JSON: requests, bytes of the last body, seconds, and from connect (kept: from the request)
// to close the median and 99th percentile in us, and how many took 10 ms or longer; of checks also
// how many failed, and the number of replies by their first word.
#include "measure.hpp"

#include <wcs_node_agent/descriptor.hpp>

#include <arpa/inet.h>
#include <array>
#include <charconv>
#include <iostream>
#include <map>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <optional>
#include <sys/socket.h>

#include <nlohmann/json.hpp>

namespace wcs_node_agent::bench {

namespace {

enum class Kind { check, fresh, kept, hello };

Kind kind_of(std::string_view text) {
    if (text == "check") return Kind::check;
    if (text == "new") return Kind::fresh;
    if (text == "kept") return Kind::kept;
    if (text == "hello") return Kind::hello;
    throw std::runtime_error("--kind is check, new, kept or hello");
}

sockaddr_in endpoint(const std::string& text) {
    const auto colon = text.rfind(':');
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(std::stoi(text.substr(colon + 1))));
    if (::inet_pton(AF_INET, text.substr(0, colon).c_str(), &address.sin_addr) != 1)
        throw std::runtime_error("--address is not ADDR:PORT");
    return address;
}

/// source: host byte order, 0 for the kernel's choice.
Descriptor connect_to(const sockaddr_in& address, std::uint32_t source) {
    Descriptor socket(check(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket"));
    if (source != 0) {
        sockaddr_in from{};
        from.sin_family = AF_INET;
        from.sin_addr.s_addr = htonl(source);
        // The port is chosen at connect, when all four values that must differ are known.
        const int later = 1;
        ::setsockopt(socket.get(), IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &later, sizeof(later));
        check(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&from), sizeof(from)), "bind");
    }
    const timeval timeout{10, 0};
    ::setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof(timeout));
    check(::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)),
          "connect");
    return socket;
}

void sleep_until(std::int64_t time) {
    const timespec when{time / 1'000'000'000, time % 1'000'000'000};
    while (::clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &when, nullptr) == EINTR) {
    }
}

/// Appends what has come; false at the end.
bool receive(const Descriptor& socket, std::string& into) {
    thread_local std::array<char, 1 << 18> buffer;
    const auto size = check(::recv(socket.get(), buffer.data(), buffer.size(), 0), "recv");
    into.append(buffer.data(), static_cast<std::size_t>(size));
    return size > 0;
}

/// The body's bytes once the response is whole.
std::optional<std::size_t> whole_body(const std::string& response) {
    const auto head = response.find("\r\n\r\n");
    if (head == std::string::npos) return {};
    const auto body = response.size() - head - 4;
    constexpr std::string_view name = "\r\nContent-Length: ";
    const auto at = response.find(name);
    if (at < head) {
        std::size_t length = 0;
        std::from_chars(response.data() + at + name.size(), response.data() + head, length);
        if (body < length) return {};
        return length;
    }
    if (response.ends_with("\r\n0\r\n\r\n")) return body;  // chunked
    return {};
}

/// Reads one response; returns the size of its body.
std::size_t read_response(const Descriptor& socket, std::string& response) {
    response.clear();
    for (;;) {
        if (!receive(socket, response)) throw std::runtime_error("the answer ended early");
        if (const auto body = whole_body(response)) {
            if (response.compare(8, 4, " 200") != 0)
                throw std::runtime_error(response.substr(0, response.find('\r')));
            return *body;
        }
    }
}

/// What became of checks.
struct Replies {
    std::map<std::string, std::uint64_t> by_first_word;
    std::uint64_t failed = 0;  // reset, or closed without a reply

    void add(const std::string& reply) {
        ++by_first_word[reply.substr(0, reply.find_first_of(" \n"))];
    }
};

/// The reply's bytes; 0 where there is none.
std::size_t read_reply(const Descriptor& socket, std::string& reply, Replies& replies) {
    reply.clear();
    try {
        while (receive(socket, reply)) {
        }
    } catch (const std::system_error&) {
        reply.clear();
    }
    if (reply.empty())
        ++replies.failed;
    else
        replies.add(reply);
    return reply.size();
}

/// A scrape as Prometheus 2.42's, with its default timeout.
std::string request_text(const Options& options, Kind kind) {
    if (kind == Kind::check) return "";
    if (kind == Kind::hello) return "\x16";
    std::string request = "GET " + options.text("path") +
                          " HTTP/1.1\r\nHost: " + options.text("address") +
                          "\r\nUser-Agent: Prometheus/2.42.0\r\n"
                          "Accept: application/openmetrics-text;version=1.0.0,"
                          "application/openmetrics-text;version=0.0.1;q=0.75,"
                          "text/plain;version=0.0.4;q=0.5,*/*;q=0.1\r\n"
                          "Accept-Encoding: gzip\r\n"
                          "X-Prometheus-Scrape-Timeout-Seconds: 10\r\n";
    if (kind == Kind::fresh) request += "Connection: close\r\n";
    return request + "\r\n";
}

nlohmann::json run(const Options& options) {
    constexpr std::int64_t late_ns = 10'000'000;
    constexpr std::uint32_t first_source = 0x7f000101;  // 127.0.1.1
    if (options.number("cpu") >= 0) pin_to_cpu(options.number("cpu"));
    const auto address = endpoint(options.text("address"));
    const auto kind = kind_of(options.text("kind"));
    const auto at_once = static_cast<std::size_t>(options.number("at-once"));
    const auto most = static_cast<std::size_t>(options.number("requests"));
    const auto sources = static_cast<std::uint32_t>(options.number("sources"));
    const auto request = request_text(options, kind);

    std::vector<Descriptor> connections(at_once);
    std::vector<std::int64_t> began(at_once);
    std::vector<std::int64_t> times;
    times.reserve(1 << 20);
    std::string answer;
    std::size_t bytes = 0;
    std::uint32_t next_source = 0;
    Replies replies;
    const auto start = wall_ns();
    const auto seconds = options.seconds("seconds");
    const auto end = start + static_cast<std::int64_t>(seconds * 1e9);
    const auto every = std::int64_t{options.number("every")} * 1000;
    auto turn = start;
    while (seconds > 0 ? wall_ns() < end : times.size() < most) {
        if (every > 0) sleep_until(turn += every);
        for (std::size_t i = 0; i < at_once; ++i) {
            began[i] = every > 0 ? turn : wall_ns();
            if (!connections[i]) {
                const auto source = sources > 0 ? first_source + next_source++ % sources : 0;
                connections[i] = connect_to(address, source);
            }
            if (!request.empty())
                check(::send(connections[i].get(), request.data(), request.size(), MSG_NOSIGNAL),
                      "send");
        }
        for (std::size_t i = 0; i < at_once; ++i) {
            if (kind == Kind::check)
                bytes = read_reply(connections[i], answer, replies);
            else if (kind != Kind::hello)
                bytes = read_response(connections[i], answer);
            if (kind != Kind::kept) connections[i] = Descriptor();
            times.push_back(wall_ns() - began[i]);
        }
    }
    const auto took = static_cast<double>(wall_ns() - start) / 1e9;
    const auto count = times.size();
    const auto late = std::ranges::count_if(times, [](auto time) { return time >= late_ns; });
    return {{"requests", count},
            {"bytes", bytes},
            {"seconds", took},
            {"median_us", static_cast<double>(quantile(times, 0.5)) / 1e3},
            {"p99_us", static_cast<double>(quantile(times, 0.99)) / 1e3},
            {"most_us", static_cast<double>(quantile(times, 1)) / 1e3},
            {"late", late},
            {"failed", replies.failed},
            {"replies", replies.by_first_word}};
}

}  // namespace

}  // namespace wcs_node_agent::bench

int main(int argc, char** argv) {
    return wcs_node_agent::bench::report(wcs_node_agent::bench::run, {argc, argv});
}
