// SPDX-License-Identifier: Apache-2.0
#include "balance-sim/agent.hpp"

#include "balance-sim/central.hpp"
#include "balance-sim/limits.hpp"
#include "balance-sim/node_meter.hpp"
#include "balance-sim/told.hpp"
#include "load/node_load.hpp"
#include "load/policy.hpp"
#include "load/weigher.hpp"

#include <wcs_node_agent/clock.hpp>
#include <wcs_node_agent/config.hpp>
#include <wcs_node_agent/weight.hpp>

#include <algorithm>
#include <array>
#include <chrono>

namespace wcs_node_agent::balance {

namespace {

std::chrono::nanoseconds duration(double seconds) {
    return std::chrono::duration_cast<std::chrono::nanoseconds>(Seconds(seconds));
}

/// What the node may do, in the words of the agent's configuration.
PolicySettings policy_settings(const AgentSettings& settings) {
    const Config defaults;
    PolicySettings policy{.limits = default_limits(),
                          .recover = defaults.recover,
                          .stale_after = defaults.stale_after,
                          .when_stale = defaults.when_stale,
                          .when_unreadable = defaults.when_unreadable};
    const auto is_used = [](const Limit& limit) {
        return limit.value == LimitValue::cpu || limit.value == LimitValue::subscribers ||
               limit.value == LimitValue::band_out;
    };
    std::erase_if(policy.limits, [&](const Limit& limit) { return !is_used(limit); });
    named(policy.limits, "cpu").maximum = 100 * cpu_limit;
    named(policy.limits, "band_out").maximum = band_limit * settings.capacity;
    named(policy.limits, "subscribers").maximum =
        most_streams_per_session_of_room * settings.room * settings.capacity;
    return policy;
}

/// The documented script under xinetd: `up 100%` unless a value is above its limit at this moment.
/// What it cannot read it takes for nothing.
class UpDown : public Agent {
 public:
    explicit UpDown(const AgentSettings& settings) : settings_(settings) {}

    void sample(const Node& node, double now) override {
        const auto& integral = node.load.integral();
        if (was_asked_ && now > last_) {
            const auto is_over = [&](std::size_t i) {
                const double mean = (integral[i] - before_[i]) / (now - last_);
                return mean > resource_limits[i] * settings_.capacity;
            };
            up_ = !(is_over(0) || is_over(1));
        }
        was_asked_ = true;
        before_ = integral;
        last_ = now;
    }

    std::optional<Reply> reply() const override { return Reply{.up = up_}; }

 private:
    AgentSettings settings_;
    PerResource before_{};
    double last_ = 0;
    bool was_asked_ = false;
    bool up_ = true;
};

/// This agent, with one of its policies.
class OurAgent : public Agent {
 public:
    OurAgent(const AgentSettings& settings, const WeightSettings& weight)
        : settings_(policy_settings(settings)),
          weight_(weight),
          expected_(expected_capacity(settings_.limits)),
          meter_(duration(settings.times.window)) {
        weight_.capacity_reference = settings.reference;
        weight_.balancers = settings.balancers;
        weight_.recent_sessions = duration(settings.times.recent_sessions);
        weight_.capacity_window = duration(settings.times.capacity_window);
    }

    void sample(const Node& node, double now) override {
        meter_.sample(node, now);
        const auto verdict =
            policy_.decide(settings_, meter_.measured(), meter_.wcs(), meter_.at());
        const NodeLoad load{.at = meter_.at(),
                            .state = verdict.state,
                            .utilisation = utilisations_of(verdict),
                            .sessions = session_counts(verdict),
                            .connections = connections()};
        made_ = weigher_.weigh(weight_, expected_, load);
        reply_ = {.up = verdict.state != NodeState::down,
                  .weight = static_cast<unsigned>(made_.percent),
                  .maxconn = made_.maxconn};
    }

    std::optional<Reply> reply() const override {
        if (!meter_.is_ready()) return std::nullopt;
        return reply_;
    }

    std::optional<Weight> weight() const override {
        if (made_.policy != WeightPolicy::headroom) return std::nullopt;
        return made_;
    }

 private:
    /// One for each session.
    std::optional<double> connections() const {
        const auto& sessions = meter_.wcs().subscribers;
        if (!sessions || meter_.at() - sessions->at > settings_.stale_after) return std::nullopt;
        return sessions->value;
    }

    PolicySettings settings_;
    WeightSettings weight_;
    double expected_;
    NodeMeter meter_;
    Policy policy_;
    Weigher weigher_;
    Weight made_;
    Reply reply_;
};

/// Nobody is told anything.
class Silent : public Agent {
 public:
    explicit Silent(const AgentSettings&) {}
    void sample(const Node&, double) override {}
    std::optional<Reply> reply() const override { return std::nullopt; }
};

template <class Kind>
std::unique_ptr<Agent> make(const AgentSettings& settings) {
    return std::make_unique<Kind>(settings);
}

std::unique_ptr<Agent> make_proportional(const AgentSettings& settings) {
    return std::make_unique<OurAgent>(settings,
                                      WeightSettings{.policy = WeightPolicy::proportional});
}

std::unique_ptr<Agent> make_headroom(const AgentSettings& settings) {
    return std::make_unique<OurAgent>(settings, WeightSettings{});
}

std::unique_ptr<Agent> make_headroom_without_maxconn(const AgentSettings& settings) {
    return std::make_unique<OurAgent>(settings, WeightSettings{.maxconn = false});
}

constexpr std::array policies{
    AgentPolicy{"updown", "the documented script: `up 100%`, or `down` above a limit",
                &make<UpDown>},
    AgentPolicy{"proportional", "the free percent of the fullest limit", &make_proportional},
    AgentPolicy{"headroom",
                "the agent's default: free sessions, those that just came counted, and maxconn",
                &make_headroom},
    AgentPolicy{"headroom-no-maxconn", "the same without maxconn", &make_headroom_without_maxconn},
    AgentPolicy{"headroom-told",
                "the default, told the mean utilisation of all nodes, as no agent is", &make_told,
                Knowledge::fleet},
    AgentPolicy{"none", "no agent: all weights are equal", &make<Silent>},
    AgentPolicy{"floor", "no agent: who knows all sends each session where most is free",
                &make<Silent>, Knowledge::all},
    AgentPolicy{"floor-by-checks", "the same, who knows each node as of its last check",
                &make<Silent>, Knowledge::checks},
    AgentPolicy{"central", "weights by who knows all nodes, as no agent can", &make_central,
                Knowledge::fleet},
    AgentPolicy{"central-maxconn", "the same with maxconn", &make_central_with_maxconn,
                Knowledge::fleet},
};

}  // namespace

std::span<const AgentPolicy> all_policies() { return policies; }

const AgentPolicy* policy_named(std::string_view name) {
    const auto* found = std::ranges::find(policies, name, &AgentPolicy::name);
    return found == policies.end() ? nullptr : found;
}

}  // namespace wcs_node_agent::balance
