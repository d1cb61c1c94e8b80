// SPDX-License-Identifier: Apache-2.0
#include "http/metric_rows.hpp"

namespace wcs_node_agent {

namespace {

template <class T>
Samples of_process(T ProcessUsage::*value) {
    return [value](const Snapshot& node, Writer& out) { out.add(node.process.*value); };
}

void add_start_time(const Snapshot& node, Writer& out) {
    using std::chrono::milliseconds;  // the kernel has it to 10 ms
    if (const auto& started = node.process.started)
        out.add(Seconds(std::chrono::floor<milliseconds>(started->time_since_epoch())).count());
}

}  // namespace

// Names and HELP texts are those of Prometheus's client libraries, by which dashboards find them.
Metrics process_metrics() {
    return {
        counter("process_cpu_seconds_total", "seconds", {},
                "Total user and system CPU time spent in seconds.",
                of_process(&ProcessUsage::cpu_time)),
        gauge("process_open_fds", "", {}, "Number of open file descriptors.",
              of_process(&ProcessUsage::open_descriptors)),
        gauge("process_max_fds", "", {}, "Maximum number of open file descriptors.",
              of_process(&ProcessUsage::max_descriptors)),
        gauge("process_virtual_memory_bytes", "bytes", {}, "Virtual memory size in bytes.",
              of_process(&ProcessUsage::virtual_bytes)),
        gauge("process_resident_memory_bytes", "bytes", {}, "Resident memory size in bytes.",
              of_process(&ProcessUsage::resident_bytes)),
        gauge("process_start_time_seconds", "seconds", {},
              "Start time of the process since unix epoch in seconds.", add_start_time),
    };
}

}  // namespace wcs_node_agent
