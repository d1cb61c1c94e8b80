// SPDX-License-Identifier: Apache-2.0
#include "load/arrival_evenness.hpp"

#include <algorithm>
#include <cmath>

namespace wcs_node_agent {

namespace {

constexpr double remembered = 90;      // periods
constexpr double usual_of = 6;         // periods, so that it follows whatever comes to all nodes
constexpr double prior_sessions = 10;  // that came by chance, as if seen beside the others

/// No crowd in one period counts for more than this many times chance.
constexpr double most_by_chance = 3;

/// From here down on it is by turns, surely so from `certain` lower.
constexpr double by_turns = 0.9;
constexpr double certain = 0.2;

}  // namespace

void ArrivalEvenness::observe(double came, Time now, Time period) {
    if (period.count() <= 0) return;
    came_ += came;
    if (is_counting_ && now - since_ < period) return;
    if (is_counting_) judge();
    is_counting_ = true;
    came_ = 0;
    since_ = now;
}

void ArrivalEvenness::judge() {
    if (usual_ > 0) {
        const double deviation = came_ - usual_;
        const double keep = std::exp(-1 / remembered);
        squares_ = keep * squares_ + std::min(deviation * deviation, most_by_chance * usual_ + 1);
        sessions_ = keep * sessions_ + came_;
    }
    usual_ += usual_ > 0 ? (came_ - usual_) / usual_of : came_;
}

void ArrivalEvenness::interrupt() { is_counting_ = false; }

double ArrivalEvenness::dispersion() const {
    return (squares_ + prior_sessions) / (sessions_ + prior_sessions);
}

double ArrivalEvenness::value() const {
    return std::clamp((by_turns - dispersion()) / certain, 0.0, 1.0);
}

}  // namespace wcs_node_agent
