// SPDX-License-Identifier: Apache-2.0
#include "serve/render.hpp"

#include "serve/agent_reply.hpp"
#include "serve/exposition.hpp"
#include "serve/metrics.hpp"
#include "serve/status_json.hpp"

namespace wcs_node_agent {

Rendered render(const Snapshot& snapshot) {
    const auto families = metric_families(snapshot);
    return {agent_reply(snapshot.verdict), to_prometheus_text(families), to_open_metrics(families),
            status_json(snapshot)};
}

}  // namespace wcs_node_agent
