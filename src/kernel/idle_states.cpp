// SPDX-License-Identifier: Apache-2.0
#include "kernel/idle_states.hpp"

#include <fstream>
#include <string>

#ifdef __x86_64__
#include <array>
#include <cpuid.h>
#include <cstring>
#include <string_view>
#endif

namespace wcs_node_agent {

namespace {

#ifdef __x86_64__
bool is_kvm_guest() {
    constexpr unsigned hypervisor_leaf = 0x40000000;
    constexpr unsigned hypervisor_present = 1U << 31;  // CPUID 1, ECX
    unsigned a = 0, b = 0, c = 0, d = 0;
    if (__get_cpuid(1, &a, &b, &c, &d) == 0 || (c & hypervisor_present) == 0) return false;
    __cpuid(hypervisor_leaf, a, b, c, d);
    std::array<char, 12> name{};
    const std::array words{b, c, d};
    std::memcpy(name.data(), words.data(), name.size());
    return std::string_view(name.data(), 9) == "KVMKVMKVM";
}
#else
bool is_kvm_guest() { return false; }
#endif

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
