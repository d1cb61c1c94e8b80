// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "load/freshness.hpp"

#include <wcs_node_agent/snapshot.hpp>
#include <wcs_node_agent/verdict.hpp>

#include <chrono>
#include <string>

namespace wcs_node_agent {

/// What was answered before, so that the first answer is not too early, a change of the state has
/// its time and its line in the log, and the last verdict ages.
class AnswerHistory {
 public:
    /// `subject` begins the lines of the log that say of what the state is; `place` the others.
    AnswerHistory(std::string subject, std::string place)
        : subject_(std::move(subject)), place_(std::move(place)) {}

    void configure(const Freshness& freshness) { freshness_ = freshness; }

    /// The answer of a new sample: decides whether it is `starting`.
    void begin(Answer& answer, const Snapshot& node);

    /// In place of a sample that could not be taken: the last verdict, so old.
    void age(Answer& answer, std::chrono::nanoseconds age) const;

    /// Completes what is about to be published with its last change, and logs what is new against
    /// what was published before it. True: the state is another one, or the first.
    bool complete(Answer& answer, const Answer* before);

    /// The first answer has not been published yet.
    bool is_new() const { return !replying_; }

 private:
    bool is_first_reply_due(const Answer& answer, const Snapshot& node) const;
    void report_unknown(const Verdict& before, const Verdict& now) const;
    void report_transition(const Verdict& verdict) const;

    std::string subject_;
    std::string place_;
    Freshness freshness_;
    bool replying_ = false;  // the first reply was due
    Verdict sampled_;        // of the last sample that succeeded
};

}  // namespace wcs_node_agent
