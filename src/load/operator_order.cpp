// SPDX-License-Identifier: Apache-2.0
#include "load/operator_order.hpp"

#include <wcs_node_agent/utc_text.hpp>

#include <utility>

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

}  // namespace wcs_node_agent
