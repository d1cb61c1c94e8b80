// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "daemon/answer_history.hpp"
#include "load/history.hpp"
#include "net/current_snapshot.hpp"
#include "process/notify.hpp"

#include <wcs_node_agent/agent_counters.hpp>
#include <wcs_node_agent/clock.hpp>
#include <wcs_node_agent/config.hpp>
#include <wcs_node_agent/snapshot.hpp>

#include <chrono>
#include <memory>
#include <string>
#include <vector>

namespace wcs_node_agent {

/// Hands snapshots to the servers, one with each turn of the sampler, and reports what changes with
/// them to the log and to systemd.
class Publisher {
 public:
    /// Where the node's answer and its snapshots go, and what is kept of them.
    Publisher(CurrentSnapshot& snapshots, CurrentAnswer& answers, History& history,
              SystemdNotifier& notifier)
        : snapshots_(snapshots), answers_(answers), history_(history), notifier_(notifier) {}

    /// From the next snapshot on. Servers take an answer for current for `fresh_for` after it was
    /// published. `of_profiles`: where the answer of each goes, in the configuration's order.
    void configure(const Config& config, std::chrono::nanoseconds fresh_for,
                   const std::vector<std::shared_ptr<CurrentAnswer>>& of_profiles);

    /// The word is in every answer that is published from now on, and so is how many have to hear
    /// `ready` yet.
    void set_word(const OperatorWord& word, std::size_t awaiting_ready);

    /// What was wrong with the last reload, for the unit's status; empty: nothing.
    void set_reload_fault(std::string why);

    /// A new sample. Checks are answered once the first reply is due; pages are served at once.
    void publish(Snapshot sampled);

    /// No sample could be taken: the last one's figures stay, with their age, and its verdict is
    /// worth what Freshness says. Nothing before the first sample.
    void publish_aged(const AgentCounters& agent, Clock::time_point now);

 private:
    struct PublishedProfile {
        std::string name;
        AnswerHistory history;
        std::shared_ptr<CurrentAnswer> answers;
    };

    PublishedProfile* find(const ProfileAnswer& answer);
    void order(Answer& answer) const;
    void replace(Snapshot next);
    void notify_status(const Verdict& verdict);

    CurrentSnapshot& snapshots_;
    CurrentAnswer& answers_;
    History& history_;
    SystemdNotifier& notifier_;
    AnswerHistory node_{"node", ""};
    std::vector<PublishedProfile> profiles_;
    OperatorWord word_;
    std::size_t awaiting_ready_ = 0;
    std::string reload_fault_;
};

}  // namespace wcs_node_agent
