// SPDX-License-Identifier: Apache-2.0
#include "daemon/pinning.hpp"

#include "daemon/exit_status.hpp"
#include "kernel/open_probe.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

namespace wcs_node_agent {

namespace {

Error held(const Config& config) {
    return Error{fmt::format(
        "kernel.pin_folder {}: another agent of this network namespace holds it: stop that first",
        config.kernel_pin_folder.native())};
}

/// It would go on costing what it costs, for nobody.
void remove_leftovers(const Config& config) {
    if (!PinFolder::exists(config.kernel_pin_folder)) return;
    const auto folder = PinFolder::open(config.kernel_pin_folder);
    if (!folder || !*folder) return;  // of an agent that runs beside this one
    const auto path = (*folder)->path().native();
    spdlog::warn("kernel.pin is off: removed what an earlier agent left in {}, {} objects", path,
                 unpin(**folder));
}

}  // namespace

Result<std::optional<PinFolder>> prepare_pinning(const Config& config) {
    if (!config.kernel_pin || config.source == SourceChoice::procfs) {
        remove_leftovers(config);
        return std::optional<PinFolder>();
    }
    auto folder = PinFolder::open(config.kernel_pin_folder);
    if (folder && !*folder) return held(config);
    if (folder) return folder;
    spdlog::warn("kernel.pin: counting will end with this process: {}", folder.error().what);
    return std::optional<PinFolder>();
}

int unpin_command(const Config& config, std::ostream& output, std::ostream& errors) {
    if (!PinFolder::exists(config.kernel_pin_folder)) {
        output << "nothing is pinned in " << config.kernel_pin_folder.native() << '\n';
        return exit_done;
    }
    const auto folder = PinFolder::open(config.kernel_pin_folder);
    if (!folder || !*folder) {
        errors << (folder ? held(config) : folder.error()).what << '\n';
        return exit_failed;
    }
    const auto path = (*folder)->path().native();
    output << "removed " << unpin(**folder) << " objects from " << path << '\n';
    return exit_done;
}

}  // namespace wcs_node_agent
