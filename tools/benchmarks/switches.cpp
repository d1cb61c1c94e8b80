// SPDX-License-Identifier: Apache-2.0
// Two threads that wake each other by pipes, with and without the agent's CPU programs, one slice
// of time after the other: both on one CPU, where each step is one switch from task to task, or on
// two, where each step leads one CPU into idle and the other out of it.
//
// --cpu N, --other-cpu N (the same: one CPU), --rounds N, --slice SECONDS. Prints JSON.
#include "kernel/ebpf_probe.hpp"
#include "measure.hpp"

#include <array>
#include <chrono>
#include <iostream>
#include <memory>
#include <string>
#include <thread>
#include <unistd.h>

#include <nlohmann/json.hpp>
#include <spdlog/spdlog.h>

namespace wcs_node_agent::bench {

namespace {

class Pipe {
 public:
    Pipe() {
        std::array<int, 2> ends{};
        check(::pipe(ends.data()), "pipe");
        read_ = Descriptor(ends[0]);
        write_ = Descriptor(ends[1]);
    }

    void put(char what) const { check(::write(write_.get(), &what, 1), "write"); }
    char take() const {
        char what = 0;
        check(::read(read_.get(), &what, 1), "read");
        return what;
    }

 private:
    Descriptor read_;
    Descriptor write_;
};

constexpr auto settling_time = std::chrono::milliseconds(300);

struct Slice {
    double ns = 0;          // CPU time of both threads for one switch
    double per_second = 0;  // switches, by the wall clock
};

/// Two switches a round trip.
Slice ping_pong(int cpu, int other_cpu, double seconds) {
    const Pipe there;
    const Pipe back;
    std::thread other([&] {
        pin_to_cpu(other_cpu);
        while (there.take() == 'g') back.put('g');
    });
    pin_to_cpu(cpu);
    const auto round_trip = [&] {
        there.put('g');
        back.take();
    };
    for (int i = 0; i < 100; ++i) round_trip();

    const auto wall_began = wall_ns();
    const auto cpu_began = process_ns();
    const auto end = wall_began + static_cast<std::int64_t>(seconds * 1e9);
    double switches = 0;
    while (wall_ns() < end) {
        for (int i = 0; i < 100; ++i) round_trip();
        switches += 200;
    }
    const auto cpu_ns = process_ns() - cpu_began;
    const auto took = wall_ns() - wall_began;
    there.put('e');
    other.join();
    return {static_cast<double>(cpu_ns) / switches, switches * 1e9 / static_cast<double>(took)};
}

nlohmann::json run(const Options& options) {
    spdlog::set_level(spdlog::level::off);
    const int cpu = options.number("cpu");
    const int other_cpu = options.number("other-cpu");
    const auto seconds = options.seconds("slice");
    ping_pong(cpu, other_cpu, seconds);

    // `null` is `none` once more: what it differs by is this machine's doing.
    constexpr std::array<const char*, 3> ways{"none", "agent", "null"};
    auto rounds = nlohmann::json::array();
    for (int round = 0; round < options.number("rounds"); ++round) {
        nlohmann::json row;
        for (std::size_t turn = 0; turn < ways.size(); ++turn) {
            const std::string way = ways[(turn + static_cast<std::size_t>(round)) % ways.size()];
            std::unique_ptr<EbpfProbe> agent;
            if (way == "agent") {
                auto loaded = EbpfProbe::load();
                if (!loaded) throw std::runtime_error(loaded.error().what);
                agent = std::move(loaded).value();
            }
            // Tracepoints are patched into the kernel's code, and what the last way had is freed
            // after RCU grace periods, on these CPUs.
            std::this_thread::sleep_for(settling_time);
            const auto slice = ping_pong(cpu, other_cpu, seconds);
            row[way] = {{"ns", slice.ns}, {"per_second", slice.per_second}};
        }
        rounds.push_back(row);
        std::cerr << '.' << std::flush;
    }
    std::cerr << '\n';
    return {{"rounds", rounds}};
}

}  // namespace

}  // namespace wcs_node_agent::bench

int main(int argc, char** argv) {
    return wcs_node_agent::bench::report(wcs_node_agent::bench::run, {argc, argv});
}
