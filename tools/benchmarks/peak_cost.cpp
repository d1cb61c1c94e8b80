// SPDX-License-Identifier: Apache-2.0
// What the buckets behind peaks add to a packet: both programs by BPF_PROG_TEST_RUN, with the
// interface in the buckets and not, in turn.
//
// --interface NAME, --cpu N, --rounds N. Prints JSON: ns of each round.
#include "kernel/ebpf_probe.hpp"
#include "program_run.hpp"

#include <array>
#include <net/if.h>
#include <net/if_arp.h>
#include <span>

#include <nlohmann/json.hpp>
#include <spdlog/spdlog.h>

namespace wcs_node_agent::bench {

namespace {

nlohmann::json run(const Options& options) {
    spdlog::set_level(spdlog::level::off);
    pin_to_cpu(options.number("cpu"));
    const auto name = options.text("interface");
    const Link link{::if_nametoindex(name.c_str()), name, ARPHRD_ETHER};
    auto loaded = EbpfProbe::load();
    if (!loaded) throw std::runtime_error(loaded.error().what);
    const auto probe = std::move(loaded).value();
    probe->set_links(std::span(&link, 1), {});
    probe->attach_next();

    const auto measure = [&](bool with) {
        probe->select(std::span(&link.index, 1), with);
        nlohmann::json row;
        row["receive"] = one_run_ns(probe->programs().receive.get(), link.index, 1);
        row["transmit"] = one_run_ns(probe->programs().transmit.get(), link.index, 1);
        return row;
    };
    auto rounds = nlohmann::json::array();
    for (int round = 0; round < options.number("rounds"); ++round) {
        nlohmann::json row;
        for (const bool with : {round % 2 == 0, round % 2 == 1})
            row[with ? "with" : "without"] = measure(with);
        rounds.push_back(row);
    }
    return {{"rounds", rounds}};
}

}  // namespace

}  // namespace wcs_node_agent::bench

int main(int argc, char** argv) {
    return wcs_node_agent::bench::report(wcs_node_agent::bench::run, {argc, argv});
}
