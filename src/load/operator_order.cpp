// SPDX-License-Identifier: Apache-2.0
#include "load/operator_order.hpp"

#include <chrono>
#include <utility>

#include <fmt/chrono.h>
#include <fmt/format.h>

namespace wcs_node_agent {

namespace {

std::string by_whom(const OperatorWord& word) {
    return fmt::format("by {} since {}", word.by, utc_text(word.since));
}

}  // namespace

Verdict ordered(Verdict judged, const OperatorWord& word) {
    if (word.word == Word::ready) return judged;
    Verdict verdict = std::move(judged);
    verdict.judged = verdict.state;
    verdict.state = word.word == Word::maint ? NodeState::maint : NodeState::drain;
    verdict.weight.percent = 0;
    verdict.cause = causes::by_operator;
    const std::string judged_by = verdict.reason.empty() ? "" : "; " + verdict.reason;
    verdict.reason = by_whom(word) + judged_by;
    return verdict;
}

std::string word_text(const OperatorWord& word) {
    const std::string name(to_string(word.word));
    return word.by.empty() ? name : fmt::format("{} {}", name, by_whom(word));
}

std::string utc_text(std::chrono::system_clock::time_point time) {
    return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}",
                       fmt::gmtime(std::chrono::system_clock::to_time_t(time)));
}

}  // namespace wcs_node_agent
