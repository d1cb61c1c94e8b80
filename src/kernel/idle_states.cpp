// SPDX-License-Identifier: Apache-2.0
#include "kernel/idle_states.hpp"

#include <fstream>
#include <iterator>
#include <string>

namespace wcs_node_agent {

namespace {

/// By what Linux itself found: hypervisors made of KVM may give CPUID another name. Guests that are
/// not x86 have no such clock.
bool is_kvm_guest() {
    std::ifstream file("/sys/devices/system/clocksource/clocksource0/available_clocksource");
    const std::string clocks{std::istreambuf_iterator<char>(file), {}};
    return clocks.find("kvm-clock") != std::string::npos;
}

/// The driver of idle states. haltpoll and the kernel's own idle loop (none) halt.
std::string idle_driver() {
    std::string name;
    std::ifstream("/sys/devices/system/cpu/cpuidle/current_driver") >> name;
    return name;
}

/// The first state of haltpoll polls, if the guest is configured so.
bool has_polled() {
    unsigned long long times = 0;
    std::ifstream("/sys/devices/system/cpu/cpu0/cpuidle/state0/usage") >> times;
    return times > 0;
}

}  // namespace

bool idle_cpu_halts() {
    const auto driver = idle_driver();
    return is_kvm_guest() && (driver == "haltpoll" || driver == "none") && !has_polled();
}

}  // namespace wcs_node_agent
