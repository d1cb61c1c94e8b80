// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/doctor_report.hpp"
#include "http/auth/web_config.hpp"

#include <wcs_node_agent/config.hpp>

namespace wcs_node_agent {

/// An agent that runs already, the ports that one with this configuration would open and who has
/// them, and whom it would answer. Ports that are free are bound for a moment.
void check_clients(const Config& config, DoctorReport& report);

/// Whether the user that the agent would run as could read the files that it reads, also where this
/// process is root's, which reads all.
void check_files(const Config& config, const WebConfig& web, DoctorReport& report);

}  // namespace wcs_node_agent
