// SPDX-License-Identifier: Apache-2.0
#include "kernel/receive_files.hpp"

#include "kernel/proc_text.hpp"

#include <array>
#include <charconv>
#include <utility>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

namespace wcs_node_agent {

namespace {

/// A sample of every quarter of a second would cost four times as much and say no more of 10 s.
constexpr std::chrono::nanoseconds read_interval = std::chrono::milliseconds(990);

/// Takes the next word off the line; empty at its end.
std::string_view next_word(std::string_view& line) {
    constexpr std::string_view blanks = " \t";
    line.remove_prefix(std::min(line.find_first_not_of(blanks), line.size()));
    const auto word = line.substr(0, line.find_first_of(blanks));
    line.remove_prefix(word.size());
    return word;
}

template <class T>
std::optional<T> as_unsigned(std::string_view word, int base = 10) {
    T number = 0;
    const auto* const end = word.data() + word.size();
    const auto [stopped, error] = std::from_chars(word.data(), end, number, base);
    if (word.empty() || error != std::errc() || stopped != end) return std::nullopt;
    return number;
}

/// Logs when a file can no longer be read, and when it can again.
template <class T>
void log_transition(const Result<T>& read, bool& failing, std::string_view what) {
    const bool was_failing = std::exchange(failing, !read);
    if (!read && !was_failing)
        spdlog::warn("{} cannot be read: {}", what, read.error().what);
    else if (read && was_failing)
        spdlog::info("{} can be read again", what);
}

}  // namespace

std::optional<UdpCounters> parse_snmp(std::string_view snmp) {
    while (!snmp.empty()) {
        auto names = next_line(snmp);
        if (next_word(names) != "Udp:") continue;
        auto numbers = next_line(snmp);  // of the same columns
        if (next_word(numbers) != "Udp:") return std::nullopt;
        std::optional<std::uint64_t> received, errors;
        for (auto name = next_word(names); !name.empty(); name = next_word(names)) {
            const auto number = as_unsigned<std::uint64_t>(next_word(numbers));
            if (name == "InDatagrams") received = number;
            if (name == "RcvbufErrors") errors = number;
        }
        if (!received || !errors) return std::nullopt;
        return UdpCounters{*received, *errors};
    }
    return std::nullopt;
}

std::optional<UdpCounters> parse_snmp6(std::string_view snmp6) {
    std::optional<std::uint64_t> received, errors;
    while (!snmp6.empty()) {
        auto line = next_line(snmp6);
        const auto name = next_word(line);
        if (name == "Udp6InDatagrams") received = as_unsigned<std::uint64_t>(next_word(line));
        if (name == "Udp6RcvbufErrors") errors = as_unsigned<std::uint64_t>(next_word(line));
    }
    if (!received || !errors) return std::nullopt;
    return UdpCounters{*received, *errors};
}

/// One line a CPU that is online, of hexadecimal columns: the second is dropped, the third
/// time_squeeze, the thirteenth, from Linux 5.10 on, the CPU's number.
std::optional<SoftnetCounters> SoftnetTotals::update(std::string_view softnet_stat) {
    constexpr std::size_t dropped_column = 1, time_squeeze_column = 2, cpu_column = 12;
    if (softnet_stat.empty()) return std::nullopt;
    for (std::uint32_t row = 0; !softnet_stat.empty(); ++row) {
        auto line = next_line(softnet_stat);
        std::array<std::optional<std::uint32_t>, cpu_column + 1> columns;
        for (auto& column : columns) column = as_unsigned<std::uint32_t>(next_word(line), 16);
        if (!columns[0] || !columns[dropped_column] || !columns[time_squeeze_column])
            return std::nullopt;
        auto& cpu = cpus_[columns[cpu_column].value_or(row)];
        const Cpu now{*columns[dropped_column], *columns[time_squeeze_column]};
        total_.dropped += now.dropped - cpu.dropped;
        total_.time_squeeze += now.time_squeeze - cpu.time_squeeze;
        cpu = now;
    }
    return total_;
}

ReceiveFiles::ReceiveFiles(const std::filesystem::path& net)
    : snmp_(net / "snmp"), snmp6_(net / "snmp6"), softnet_stat_(net / "softnet_stat") {}

const ReceiveCounters& ReceiveFiles::read(Clock::time_point now) {
    if (read_at_ != Clock::time_point::min() && now - read_at_ < read_interval) return counters_;
    read_at_ = now;
    const auto udp = read_udp();
    log_transition(udp, udp_failing_, "what UDP loses");
    counters_.udp = udp ? std::optional(*udp) : std::nullopt;
    counters_.udp_unknown = udp ? "" : udp.error().what;
    const auto softnet = read_softnet();
    log_transition(softnet, softnet_failing_, "what the CPUs' receive queues lose");
    counters_.softnet = softnet ? std::optional(*softnet) : std::nullopt;
    return counters_;
}

Result<UdpCounters> ReceiveFiles::read_udp() {
    const auto lacks = [](const ProcFile& file) {
        return Error{fmt::format("{}: lacks a counter of UDP", file.path().native())};
    };
    const auto snmp = snmp_.read();
    if (!snmp) return snmp.error();
    auto udp = parse_snmp(*snmp);
    if (!udp) return lacks(snmp_);
    const auto snmp6 = snmp6_.read();
    // A kernel without IPv6 (ipv6.disable=1) has no such file, and no such socket.
    if (!snmp6 && snmp6.error().code == std::errc::no_such_file_or_directory) return *udp;
    if (!snmp6) return snmp6.error();
    const auto udp6 = parse_snmp6(*snmp6);
    if (!udp6) return lacks(snmp6_);
    udp->received += udp6->received;
    udp->receive_buffer_errors += udp6->receive_buffer_errors;
    return *udp;
}

Result<SoftnetCounters> ReceiveFiles::read_softnet() {
    const auto text = softnet_stat_.read();
    if (!text) return text.error();
    const auto softnet = softnet_.update(*text);
    if (!softnet) return Error{fmt::format("{}: not as expected", softnet_stat_.path().native())};
    return *softnet;
}

}  // namespace wcs_node_agent
