// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "measure.hpp"

#include <array>
#include <cstdint>
#include <linux/bpf.h>
#include <vector>

#include <bpf/bpf.h>

namespace wcs_node_agent::bench {

/// One run of a program by BPF_PROG_TEST_RUN, ns, the median of some means over a million runs. The
/// packet is a small UDP one on the given interface.
inline std::int64_t one_run_ns(int program, std::uint32_t ifindex, int times) {
    std::array<unsigned char, 60> frame{};
    frame[12] = 0x08;  // IPv4
    frame[14] = 0x45;
    frame[23] = 17;  // UDP
    std::vector<std::int64_t> durations;
    for (int i = 0; i < times; ++i) {
        __sk_buff context{};
        context.ifindex = ifindex;
        bpf_test_run_opts options{};
        options.sz = sizeof(options);
        options.data_in = frame.data();
        options.data_size_in = frame.size();
        options.ctx_in = &context;
        options.ctx_size_in = sizeof(context);
        options.repeat = 1'000'000;
        check(bpf_prog_test_run_opts(program, &options), "BPF_PROG_TEST_RUN");
        durations.push_back(options.duration);
    }
    return quantile(durations, 0.5);
}

}  // namespace wcs_node_agent::bench
