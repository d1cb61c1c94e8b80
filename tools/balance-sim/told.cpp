// SPDX-License-Identifier: Apache-2.0
#include "balance-sim/told.hpp"

#include "balance-sim/fleet.hpp"
#include "load/fleet_level.hpp"

#include <algorithm>
#include <cmath>

namespace wcs_node_agent::balance {

namespace {

class Told : public Agent {
 public:
    explicit Told(const AgentSettings& settings)
        : settings_(settings), agent_(policy_named("headroom")->make(settings)) {}

    void sample(const Node& node, double now) override { agent_->sample(node, now); }

    std::optional<Reply> reply() const override {
        auto reply = agent_->reply();
        const auto made = agent_->weight();
        if (!reply || !made || made->percent == 0) return reply;
        const double used = 1 - made->raw / 100 + made->added;
        const double above = settings_.gain * (used - settings_.fleet->mean());
        const double percent =
            100 * made->capacity / made->reference * (1 - used) * (1 - share_given_up(above));
        reply->weight =
            static_cast<unsigned>(std::lround(std::clamp(percent, 1.0, double{most_weight})));
        return reply;
    }

 private:
    AgentSettings settings_;
    std::unique_ptr<Agent> agent_;
};

}  // namespace

std::unique_ptr<Agent> make_told(const AgentSettings& settings) {
    return std::make_unique<Told>(settings);
}

}  // namespace wcs_node_agent::balance
