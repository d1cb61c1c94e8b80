// SPDX-License-Identifier: Apache-2.0
// The least that a server on TCP can do: waits with epoll, accepts, writes ten bytes, closes.
//
// --port N, on 127.0.0.1, until it is killed. Prints "ready".
#include "measure.hpp"

#include <arpa/inet.h>
#include <array>
#include <iostream>
#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace wcs_node_agent::bench {

namespace {

constexpr std::string_view reply = "up   100%\n";
static_assert(reply.size() == 10);

void serve(int port) {
    const int listener =
        check(::socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), "socket");
    const int yes = 1;
    ::setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof(yes));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    check(::bind(listener, reinterpret_cast<const sockaddr*>(&address), sizeof(address)), "bind");
    check(::listen(listener, SOMAXCONN), "listen");

    const int poll = check(::epoll_create1(EPOLL_CLOEXEC), "epoll_create1");
    epoll_event wanted{};
    wanted.events = EPOLLIN;
    check(::epoll_ctl(poll, EPOLL_CTL_ADD, listener, &wanted), "epoll_ctl");
    std::cout << "ready" << std::endl;
    for (;;) {
        std::array<epoll_event, 8> events{};
        if (::epoll_wait(poll, events.data(), static_cast<int>(events.size()), -1) <= 0) continue;
        for (int client = 0; (client = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC)) >= 0;) {
            ::send(client, reply.data(), reply.size(), MSG_NOSIGNAL);
            ::close(client);
        }
    }
}

}  // namespace

}  // namespace wcs_node_agent::bench

int main(int argc, char** argv) {
    try {
        wcs_node_agent::bench::serve(wcs_node_agent::bench::Options(argc, argv).number("port"));
    } catch (const std::exception& error) {
        std::cerr << error.what() << '\n';
        return 1;
    }
}
