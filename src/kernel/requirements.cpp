// SPDX-License-Identifier: Apache-2.0
#include "kernel/requirements.hpp"

#include <wcs_node_agent/descriptor.hpp>

#include <cerrno>
#include <charconv>
#include <cstring>
#include <linux/capability.h>
#include <string_view>
#include <sys/utsname.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <cap-ng.h>
#include <fmt/format.h>

namespace wcs_node_agent {

namespace {

constexpr const char* type_information = "/sys/kernel/btf/vmlinux";

/// 5.8 brought CAP_BPF and the means to read kernel memory safely that the programs use.
Requirement kernel_version() {
    constexpr int major_needed = 5;
    constexpr int minor_needed = 8;
    utsname name{};
    ::uname(&name);
    const std::string_view release = name.release;
    int major = 0;
    int minor = 0;
    const auto* const end = release.data() + release.size();
    if (const auto parsed = std::from_chars(release.data(), end, major); parsed.ptr != end)
        std::from_chars(parsed.ptr + 1, end, minor);
    const bool met = major > major_needed || (major == major_needed && minor >= minor_needed);
    return {.name = "Linux 5.8 or newer",
            .met = met,
            .found = std::string(release),
            .remedy = met ? "" : "run a newer kernel"};
}

Requirement kernel_types() {
    const bool met = ::access(type_information, R_OK) == 0;
    return {.name = "kernel type information (BTF)",
            .met = met,
            .found = met ? type_information
                         : fmt::format("{}: {}", type_information, std::strerror(errno)),
            .remedy = met ? "" : "run a kernel built with CONFIG_DEBUG_INFO_BTF, and mount /sys"};
}

Requirement capability(const char* name, unsigned number, bool administrator_will_do) {
    const auto has = [](unsigned which) {
        return capng_have_capability(CAPNG_EFFECTIVE, which) == 1;
    };
    const bool met = has(number) || (administrator_will_do && has(CAP_SYS_ADMIN));
    return {.name = name,
            .met = met,
            .found = met ? "held" : "not held",
            .remedy =
                met ? ""
                    : fmt::format("run as root, or give the service AmbientCapabilities={}", name)};
}

/// Containers filter system calls and kernels can be locked down, whatever the capabilities say.
Requirement system_call() {
    const Descriptor map(
        bpf_map_create(BPF_MAP_TYPE_ARRAY, "wcs_try", sizeof(int), sizeof(int), 1, nullptr));
    const bool met = static_cast<bool>(map);
    return {
        .name = "bpf() system call",
        .met = met,
        .found = met ? "answers" : std::strerror(errno),
        .remedy =
            met ? "" : "let the container's seccomp profile and the kernel's lockdown allow bpf()"};
}

}  // namespace

std::vector<Requirement> ebpf_requirements() {
    capng_get_caps_process();
    return {kernel_version(),
            kernel_types(),
            capability("CAP_BPF", CAP_BPF, true),
            capability("CAP_PERFMON", CAP_PERFMON, true),
            capability("CAP_NET_ADMIN", CAP_NET_ADMIN, false),
            system_call()};
}

std::string missing(const std::vector<Requirement>& requirements) {
    std::string line;
    for (const auto& requirement : requirements) {
        if (requirement.met) continue;
        line += fmt::format("{}{} ({}; {})", line.empty() ? "" : ", ", requirement.name,
                            requirement.found, requirement.remedy);
    }
    return line;
}

}  // namespace wcs_node_agent
