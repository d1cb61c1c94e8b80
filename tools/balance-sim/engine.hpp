// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "balance-sim/agent.hpp"
#include "balance-sim/balancer.hpp"
#include "balance-sim/event_queue.hpp"
#include "balance-sim/fleet.hpp"
#include "balance-sim/measures.hpp"
#include "balance-sim/most_free.hpp"
#include "balance-sim/node.hpp"
#include "balance-sim/options.hpp"
#include "balance-sim/random.hpp"
#include "balance-sim/rounds.hpp"
#include "balance-sim/workload.hpp"

#include <cstdint>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace wcs_node_agent::balance {

/// A discrete-event simulation of balancers before nodes with agents. Time runs from -warm_up;
/// what happens from 0 on is measured.
class Engine {
 public:
    explicit Engine(const Options& options);

    Results run();

 private:
    enum class Stage : std::uint8_t { free, waiting, running };
    struct Session {
        Demand demand{};
        double since = 0;              // s, when it began on its node
        std::uint32_t generation = 0;  // of the slot: events of a session before mean nothing
        ServerId node = 0;
        std::uint32_t balancer = 0;
        Stage stage = Stage::free;
    };
    /// A node at its last check.
    struct Seen {
        double reserved = 0;
        unsigned sessions = 0;
    };
    struct Check {
        std::uint32_t balancer;
        ServerId node;
    };

    void fill();
    void plan_faults();
    void plan_arrival();
    void arrive();
    void handle(const Event& event);
    void handle_session(const Event& event);

    SessionId open(const Demand& demand, std::uint32_t balancer);
    void close(SessionId id);
    void dispatch(SessionId id, std::optional<ServerId> avoid = {});
    void dispatch_by_knowledge(SessionId id);
    void enter(SessionId id, ServerId node);
    void begin(SessionId id, ServerId node);
    void reach_full_height(SessionId id);
    void end(SessionId id);
    void leave_node(Session& session);
    void refuse(SessionId id);

    void check(const Check& check);
    void sample(ServerId id);
    void look();
    void look_at_weights(double mean_utilisation);
    void serve_queue(std::uint32_t balancer, ServerId server);
    void continue_slow_start(std::uint32_t balancer, ServerId server);
    void after_change(std::uint32_t balancer, ServerId server);
    void die(ServerId node);
    void come_back(ServerId node);
    void plan_notices(ServerId node, int checks);
    void start_agent(ServerId node);
    void reserve(Session& session, double factor);
    void update_most_free(ServerId id);
    double inflow() const;
    double used_as_known(ServerId id) const;
    bool is_measured() const { return now_ >= 0; }

    Options options_;
    double now_;
    Random arrivals_, phases_;
    Sessions kind_of_sessions_;
    std::vector<Node> nodes_;
    Fleet fleet_;
    std::vector<std::unique_ptr<Agent>> agents_;
    std::vector<Seen> seen_;
    std::vector<std::optional<Reply>> heard_;  // by the first balancer, of each node
    std::vector<std::unique_ptr<Balancer>> balancers_;
    std::vector<Session> sessions_;
    std::vector<SessionId> free_sessions_;
    EventQueue events_;
    std::optional<Rounds<Check>> checks_;
    std::optional<Rounds<ServerId>> samples_;
    double next_arrival_ = 0;
    std::size_t traced_ = 0;  // arrivals of the trace so far
    double mean_gap_ = 0;     // s between arrivals, at the mean rate
    double next_look_ = 1;
    MostFree most_free_;
    Measures measures_;
    std::uint64_t handled_ = 0;
};

}  // namespace wcs_node_agent::balance
