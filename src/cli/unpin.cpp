// SPDX-License-Identifier: Apache-2.0
#include "cli/unpin.hpp"

#include "daemon/pinning.hpp"
#include "kernel/open_probe.hpp"
#include "process/exit_status.hpp"

#include <ostream>

namespace wcs_node_agent {

int unpin_command(const Config& config, std::ostream& output, std::ostream& errors) {
    if (!PinFolder::exists(config.kernel_pin_folder)) {
        output << "nothing is pinned in " << config.kernel_pin_folder.native() << '\n';
        return exit_done;
    }
    const auto folder = PinFolder::open(config.kernel_pin_folder);
    if (!folder || !*folder) {
        errors << (folder ? pin_folder_is_held(config) : folder.error()).what << '\n';
        return exit_failed;
    }
    const auto path = (*folder)->path().native();
    output << "removed " << unpin(**folder) << " objects from " << path << '\n';
    return exit_done;
}

}  // namespace wcs_node_agent
