// SPDX-License-Identifier: Apache-2.0
#include "process/port_holder.hpp"

#include "kernel/proc_text.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>
#include <fstream>
#include <iterator>
#include <system_error>

#include <fmt/format.h>

namespace wcs_node_agent {

namespace {

namespace ip = boost::asio::ip;
namespace fs = std::filesystem;

constexpr std::string_view listening = "0A";  // TCP_LISTEN

std::string_view next_word(std::string_view& line) {
    line.remove_prefix(std::min(line.find_first_not_of(' '), line.size()));
    const auto word = line.substr(0, line.find(' '));
    line.remove_prefix(word.size());
    return word;
}

std::optional<std::uint32_t> hexadecimal(std::string_view text) {
    std::uint32_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, 16);
    if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return number;
}

/// The kernel prints the address as words of 32 bits, each of which holds its bytes in their order.
template <class Address>
std::optional<ip::address> address_of(std::string_view text) {
    typename Address::bytes_type bytes{};
    constexpr std::size_t digits = 8;
    for (std::size_t i = 0; i < bytes.size() / sizeof(std::uint32_t); ++i) {
        const auto word = hexadecimal(text.substr(i * digits, digits));
        if (!word) return std::nullopt;
        std::memcpy(bytes.data() + i * sizeof(*word), &*word, sizeof(*word));
    }
    return Address(bytes);
}

std::optional<ip::tcp::endpoint> endpoint_of(std::string_view text) {
    const auto colon = text.find(':');
    if (colon == std::string_view::npos) return std::nullopt;
    const auto port = hexadecimal(text.substr(colon + 1));
    text = text.substr(0, colon);
    const auto address = text.size() == 8    ? address_of<ip::address_v4>(text)
                         : text.size() == 32 ? address_of<ip::address_v6>(text)
                                             : std::nullopt;
    if (!address || !port || *port > 0xffff) return std::nullopt;
    return ip::tcp::endpoint(*address, static_cast<ip::port_type>(*port));
}

std::string content_of(const fs::path& file) {
    std::ifstream in(file);
    return {std::istreambuf_iterator<char>(in), {}};
}

/// What a process that ends meanwhile had is nobody's.
bool holds(const fs::path& process, const std::string& socket) {
    std::error_code error;
    for (fs::directory_iterator one(process / "fd", error), end; !error && one != end;
         one.increment(error)) {
        std::error_code unreadable;
        if (fs::read_symlink(*one, unreadable) == socket) return true;
    }
    return false;
}

std::string link_to(std::uint64_t inode) { return fmt::format("socket:[{}]", inode); }

std::optional<PortHolder> holder_of(std::uint64_t inode, const fs::path& proc) {
    const auto socket = link_to(inode);
    std::error_code error;
    for (fs::directory_iterator one(proc, error), end; !error && one != end; one.increment(error)) {
        auto name = std::string_view(one->path().native());
        name.remove_prefix(name.rfind('/') + 1);
        const auto pid = next_number(name);
        if (!pid || !name.empty() || !holds(one->path(), socket)) continue;
        auto program = content_of(one->path() / "comm");
        if (program.ends_with('\n')) program.pop_back();
        return PortHolder{.pid = static_cast<pid_t>(*pid), .program = std::move(program)};
    }
    return std::nullopt;
}

/// In this network namespace.
std::vector<ListeningSocket> listening_at(const ip::tcp::endpoint& at, const fs::path& proc) {
    std::vector<ListeningSocket> found;
    for (const char* table : {"net/tcp", "net/tcp6"})
        for (const auto& socket : parse_listening(content_of(proc / table)))
            if (overlap(socket.at, at)) found.push_back(socket);
    return found;
}

}  // namespace

std::vector<ListeningSocket> parse_listening(std::string_view table) {
    std::vector<ListeningSocket> sockets;
    while (!table.empty()) {
        auto line = next_line(table);
        next_word(line);  // its number
        const auto local = endpoint_of(next_word(line));
        next_word(line);  // nobody is at the other end
        if (!local || next_word(line) != listening) continue;
        for (int i = 0; i < 5; ++i) next_word(line);  // queues, timers, retransmits, user, timeout
        if (const auto inode = next_number(line)) sockets.push_back({*local, *inode});
    }
    return sockets;
}

bool overlap(const ip::tcp::endpoint& one, const ip::tcp::endpoint& other) {
    if (one.port() != other.port()) return false;
    const auto includes = [](const ip::address& all, const ip::address& address) {
        return all == address || (all.is_unspecified() && (all.is_v6() || address.is_v4()));
    };
    return includes(one.address(), other.address()) || includes(other.address(), one.address());
}

std::optional<PortHolder> find_port_holder(const ip::tcp::endpoint& at, const fs::path& proc) {
    for (const auto& socket : listening_at(at, proc))
        if (auto holder = holder_of(socket.inode, proc)) return holder;
    return std::nullopt;
}

std::vector<ip::tcp::endpoint> listens_at(pid_t process, const ip::tcp::endpoint& at,
                                          const fs::path& proc) {
    std::vector<ip::tcp::endpoint> its;
    for (const auto& socket : listening_at(at, proc))
        if (holds(proc / std::to_string(process), link_to(socket.inode))) its.push_back(socket.at);
    return its;
}

}  // namespace wcs_node_agent
