// SPDX-License-Identifier: Apache-2.0
#include "load/witnessed_flow.hpp"

#include <algorithm>
#include <utility>

namespace wcs_node_agent {

namespace {

using namespace std::chrono_literals;

/// Counters that agree are compared over so long, so that an old surplus hides no new deficit.
constexpr auto compared_over = 1s;
/// How long both must disagree, and agree, before it is acted upon. A card may be that late.
constexpr std::chrono::nanoseconds disagreement = 1s;
constexpr std::chrono::nanoseconds late_disagreement = 2500ms;
constexpr auto agreement = 5s;

bool disagree(Comparison comparison) {
    return comparison == Comparison::blind || comparison == Comparison::excess;
}

/// A counter that has fallen began anew, and how far it had come before that is not known.
std::uint64_t growth(std::uint64_t& last, std::uint64_t now) {
    const auto before = std::exchange(last, now);
    return now > before ? now - before : 0;
}

Flow growth(Flow& last, const Flow& now) {
    return {growth(last.bytes, now.bytes), growth(last.packets, now.packets)};
}

Flow highest(const Flow& one, const Flow& other) {
    return {std::max(one.bytes, other.bytes), std::max(one.packets, other.packets)};
}

Flow lowest(const Flow& one, const Flow& other) {
    return {std::min(one.bytes, other.bytes), std::min(one.packets, other.packets)};
}

Flow without(const Flow& flow, const Flow& part) {
    return {flow.bytes - std::min(flow.bytes, part.bytes),
            flow.packets - std::min(flow.packets, part.packets)};
}

}  // namespace

void WitnessedFlow::start(const Reading& first) {
    ours_last_ = reported_ = first.ours.value_or(Flow{});
    repeated_last_ = first.repeated_bytes;
    device_last_ = first.device.value_or(Flow{});
    last_ = first.at;
    by_device_ = false;
    begin_anew(first.at);
}

std::optional<WitnessedFlow::Change> WitnessedFlow::advance(const Reading& reading,
                                                            const DeviceTraits& traits,
                                                            const ReadAgain& read_again) {
    grow(reading);
    if (!reading.device || reading.device_began_anew) {
        if (!by_device_) report(ours_);
        if (reading.device_began_anew) {  // what was compared is void
            disagrees_since_.reset();
            begin_anew(reading.at);
        }
        return std::nullopt;
    }
    Lead known{.before = lead_};
    auto comparison = compare(ours_, repeated_, device_, known, traits);
    if (comparison == Comparison::excess) {
        if (const auto again = read_again()) {
            known.queued = again->queued;
            device_ = device_ + growth(device_last_, again->counted);
            comparison = compare(ours_, repeated_, device_, known, traits);
        }
        // A card that has never counted a frame has no counters.
        if (traits.updates_late && device_last_.packets == 0) comparison = Comparison::agrees;
    }
    // Nothing of ours, and so little of the device's that it may be chance: more will tell.
    const bool is_open = !disagree(comparison) && ours_.packets == 0 && device_.packets > 0;
    const bool was_by_device = by_device_;
    auto change = was_by_device ? advance_by_device(comparison, is_open)
                                : advance_by_source(comparison, known.queued, traits.updates_late);
    const bool may_begin_anew = !is_open && (was_by_device || !disagree(comparison));
    if (!change && may_begin_anew && last_ - begun_ >= compared_over)
        begin_anew(last_, {.before = traits.updates_late ? Flow{} : lead(read_again),
                           .queued = was_by_device ? Flow{} : known.queued});
    return change;
}

std::optional<WitnessedFlow::Change> WitnessedFlow::advance_by_device(Comparison comparison,
                                                                      bool is_open) {
    report(device_);
    if (disagree(comparison)) {
        agrees_since_.reset();
    } else if (comparison == Comparison::agrees && !is_open) {
        if (!agrees_since_) agrees_since_ = last_;
        if (last_ - *agrees_since_ >= agreement) {
            const auto changed = change(false, comparison);
            count_by(false, last_);
            return changed;
        }
    }
    return std::nullopt;
}

std::optional<WitnessedFlow::Change> WitnessedFlow::advance_by_source(Comparison comparison,
                                                                      const Flow& queued,
                                                                      bool updates_late) {
    if (!disagree(comparison)) {
        disagrees_since_.reset();
        report(ours_);
        return std::nullopt;
    }
    if (!disagrees_since_) disagrees_since_ = last_;
    const bool is_blind = comparison == Comparison::blind;
    if (updates_late)
        report(ours_);
    else if (is_blind)
        report(ours_ + missed());
    else
        report(limited_by(without(ours_, queued), repeated_, device_));
    if (last_ - *disagrees_since_ < (updates_late ? late_disagreement : disagreement))
        return std::nullopt;
    auto changed = change(true, comparison);
    if (is_blind && updates_late) {
        changed.missed = missed();
        report(ours_ + missed());
    }
    count_by(true, last_);
    return changed;
}

/// What ours has counted and the device will count after this reading of it, as ours was read
/// later. Of a card that is late by more than its slack there is none: it disagrees until it has
/// told.
Flow WitnessedFlow::lead(const ReadAgain& read_again) const {
    const auto ahead = without(ours_ + lead_, device_);
    if (ahead == Flow{}) return {};
    const auto again = read_again();
    return again ? lowest(ahead, without(again->counted, device_last_)) : Flow{};
}

Flow WitnessedFlow::missed() const { return without(device_, ours_ + lead_); }

WitnessedFlow::Change WitnessedFlow::count_by_device(const Reading& reading) {
    grow(reading);
    report(ours_ + missed());
    const auto changed = change(true, Comparison::idle);
    count_by(true, reading.at);
    return changed;
}

void WitnessedFlow::count_by(bool device, Clock::time_point at) {
    by_device_ = device;
    disagrees_since_.reset();
    agrees_since_.reset();
    begin_anew(at);
}

void WitnessedFlow::grow(const Reading& reading) {
    last_ = reading.at;
    if (reading.ours) {
        ours_ = ours_ + growth(ours_last_, *reading.ours);
        repeated_ += growth(repeated_last_, reading.repeated_bytes);
    }
    if (reading.device) device_ = device_ + growth(device_last_, *reading.device);
}

void WitnessedFlow::report(const Flow& growth) {
    reported_ = highest(reported_, reported_then_ + growth);
}

/// What is queued has been reported, and the device will count it.
void WitnessedFlow::begin_anew(Clock::time_point at, const Lead& lead) {
    begun_ = at;
    ours_ = lead.queued;
    device_ = {};
    repeated_ = 0;
    lead_ = lead.before;
    reported_then_ = without(reported_, lead.queued);
}

WitnessedFlow::Change WitnessedFlow::change(bool to_device, Comparison comparison) const {
    return {.to_device = to_device,
            .comparison = comparison,
            .ours = ours_,
            .device = device_,
            .since = begun_};
}

}  // namespace wcs_node_agent
