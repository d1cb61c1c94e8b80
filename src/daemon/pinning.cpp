// SPDX-License-Identifier: Apache-2.0
#include "daemon/pinning.hpp"

#include "kernel/open_probe.hpp"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

namespace wcs_node_agent {

namespace {

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

Error pin_folder_is_held(const Config& config) {
    return Error{fmt::format(
        "kernel.pin_folder {}: another agent of this network namespace holds it: stop that first",
        config.kernel_pin_folder.native())};
}

Result<std::optional<PinFolder>> prepare_pinning(const Config& config) {
    if (!config.kernel_pin || config.source == SourceChoice::procfs) {
        remove_leftovers(config);
        return std::optional<PinFolder>();
    }
    auto folder = PinFolder::open(config.kernel_pin_folder);
    if (folder && !*folder) return pin_folder_is_held(config);
    if (folder) return folder;
    spdlog::warn("kernel.pin: counting will end with this process: {}", folder.error().what);
    return std::optional<PinFolder>();
}

}  // namespace wcs_node_agent
