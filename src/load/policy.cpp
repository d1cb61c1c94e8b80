// SPDX-License-Identifier: Apache-2.0
#include "load/policy.hpp"

#include "load/capacity.hpp"
#include "load/page_value.hpp"

#include <algorithm>
#include <iterator>
#include <tuple>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace wcs_node_agent {

namespace {

/// What is known of a limit's value at this moment.
struct Known {
    std::optional<HeldCount> last;   // the whole value, and when it was known
    std::optional<double> at_least;  // a part of it, as it is now
    std::optional<double> so_far;    // of less than the window
    std::string why;                 // why the whole value is not known now
    bool silent = false;             // because WCS is silent
    bool is_checked = true;          // false: the node has nothing of the kind
};

std::optional<double> times(std::optional<double> value, double factor) {
    if (!value) return std::nullopt;
    return *value * factor;
}

Known known_of_wcs(const std::optional<HeldCount>& last, const WcsState& wcs) {
    return {.last = last,
            .at_least = {},
            .so_far = {},
            .why = "wcs: " + (wcs.fault_text.empty() ? "no counts" : wcs.fault_text),
            .silent = wcs.silent || !wcs.asked};
}

Known known_count(const std::optional<HeldCount>& last, const std::optional<double>& at_least,
                  std::chrono::nanoseconds stale_after, const WcsState& wcs,
                  Clock::time_point now) {
    auto known = known_of_wcs(last, wcs);
    if (wcs.page_at && now - *wcs.page_at <= stale_after) known.at_least = at_least;
    return known;
}

/// last: of an earlier page, if this one lacks a number. A page's numbers hold as long as the
/// counts that came with it.
Known known_of_page(const Limit& limit, std::optional<HeldCount>& last, const WcsState& wcs) {
    if (!wcs.page_at) return known_of_wcs({}, wcs);
    const auto value = page_value(limit, *wcs.page);
    if (value) last = HeldCount{*value, *wcs.page_at + wcs.page_pause};
    auto known = known_of_wcs(last, wcs);
    if (!value && wcs.up()) known.why = "wcs: " + value.error().what;
    return known;
}

/// A page without ports is that of a node which does not count them.
Known known_ports(const Limit& limit, const WcsState& wcs) {
    std::optional<HeldCount> of_this_page;
    auto known = known_of_page(limit, of_this_page, wcs);
    known.is_checked = of_this_page.has_value();
    return known;
}

/// The peak of a second is whole or not there.
Known known_peak(std::optional<HeldCount>& last, std::optional<double> bits, const std::string& why,
                 Clock::time_point now) {
    if (bits) last = HeldCount{*bits * 1e-6, now};
    return {
        .last = last, .at_least = {}, .so_far = {}, .why = why.empty() ? "not measured yet" : why};
}

/// factor: from the rates' unit to the limit's.
Known known_rate(std::optional<HeldCount>& last, const Rates& rates,
                 std::optional<double> Means::*rate, double factor, const std::string& why,
                 Clock::time_point now) {
    if (const auto value = times(rates.*rate, factor)) last = HeldCount{*value, now};
    return {.last = last,
            .at_least = times(rates.at_least.*rate, factor),
            .so_far = times(rates.so_far.*rate, factor),
            .why = why.empty() ? "not measured yet" : why};
}

std::optional<double> share_of(const std::optional<LimitMaximum>& maximum) {
    if (!maximum || !maximum->is_share) return std::nullopt;
    return maximum->value;
}

std::string describe(const LimitReading& reading) {
    if (reading.unit == LimitUnit::number)
        return fmt::format("{} {:.10g} of {:.10g}", reading.name, *reading.value, *reading.maximum);
    const int decimals = reading.unit == LimitUnit::streams ? 0 : 1;
    return fmt::format("{} {}{:.{}f} of {:g}", reading.name, reading.at_least ? "at least " : "",
                       *reading.value, decimals, *reading.maximum);
}

/// A value within its limit does not say by itself why the node is down.
std::string reason_while_down(const LimitReading& reading) {
    const bool is_within = *reading.utilisation < 1;
    return describe(reading) +
           (is_within ? fmt::format("; up again below {:.10g}", *reading.up_again_below) : "");
}

/// What lowers the weight of a node that stays up: "udp_loss 2.3 of 1".
std::vector<std::string> soft_texts(const std::vector<LimitReading>& readings) {
    std::vector<std::string> parts;
    for (const auto& reading : readings)
        if (reading.soft && reading.utilisation >= 1.0) parts.push_back(describe(reading));
    return parts;
}

/// "band_in, band_out unknown: WHY", for each reason.
std::vector<std::string> unknown_texts(const std::vector<LimitReading>& readings) {
    std::vector<std::string> parts;
    for (const auto& reading : readings) {
        const auto has_same = [&](const auto& other) { return other.unknown == reading.unknown; };
        const bool is_first = &*std::ranges::find_if(readings, has_same) == &reading;
        if (reading.unknown.empty() || !is_first) continue;
        std::vector<std::string_view> names;
        for (const auto& other : readings)
            if (has_same(other)) names.push_back(other.name);
        parts.push_back(fmt::format("{} unknown: {}", fmt::join(names, ", "), reading.unknown));
    }
    return parts;
}

std::string reason_while_up(const std::vector<LimitReading>& readings) {
    auto parts = soft_texts(readings);
    std::ranges::move(unknown_texts(readings), std::back_inserter(parts));
    return fmt::format("{}", fmt::join(parts, "; "));
}

}  // namespace

Policy::Judged Policy::judge(const Limit& limit, const PolicySettings& settings,
                             const Measured& measured, const WcsState& wcs, Clock::time_point now) {
    const auto rate = [&](std::optional<double> Means::*mean, double factor,
                          const std::string& why) {
        return known_rate(last_[limit.value], measured.rates, mean, factor, why, now);
    };
    const auto count = [&](const std::optional<HeldCount>& last,
                           const std::optional<double>& at_least) {
        return known_count(last, at_least, settings.stale_after, wcs, now);
    };
    const auto known = [&]() -> Known {
        switch (limit.value) {
            case LimitValue::cpu:
                return rate(&Means::cpu_utilisation, 100, measured.cpu_unknown);
            case LimitValue::publishers:
                return count(wcs.publishers, wcs.counts.publishers_at_least);
            case LimitValue::subscribers:
                return count(wcs.subscribers, wcs.counts.subscribers_at_least);
            case LimitValue::hls:
                return count(wcs.hls, wcs.counts.hls_at_least);
            case LimitValue::band_in:
                return rate(&Means::bits_in, 1e-6, measured.bandwidth_unknown);
            case LimitValue::band_out:
                return rate(&Means::bits_out, 1e-6, measured.bandwidth_unknown);
            case LimitValue::ports:
                return known_ports(limit, wcs);
            case LimitValue::cpu_core:
                return rate(&Means::cpu_max_utilisation, 100, measured.cpu_unknown);
            case LimitValue::udp_loss:
                return rate(&Means::udp_loss, 100, measured.udp_unknown);
            case LimitValue::band_out_peak:
                return known_peak(last_[limit.value], measured.peaks.bits_out,
                                  measured.peaks_unknown, now);
            case LimitValue::page:
                return known_of_page(limit, last_of_page_[limit.name], wcs);
        }
        return {};
    }();
    Judged judged{.reading = {.name = limit.name,
                              .held = limit.value,
                              .unit = limit.unit,
                              .soft = limit.soft},
                  .is_checked = known.is_checked};
    auto& reading = judged.reading;
    if (known.last && now - known.last->at <= settings.stale_after) {
        reading.value = known.last->value;
    } else if (known.so_far) {
        reading.value = known.so_far;
        judged.is_provisional = true;
    } else {
        judged.is_silent = known.silent;
        judged.otherwise = known.silent ? settings.when_stale : settings.when_unreadable;
        reading.unknown = known.why;
        if (known.last && judged.otherwise == WhenStale::hold) reading.value = known.last->value;
    }
    if (known.at_least && *known.at_least > reading.value.value_or(-1)) {
        reading.value = known.at_least;
        reading.at_least = true;
    }
    return judged;
}

Verdict Policy::decide(const PolicySettings& settings, const Measured& measured,
                       const WcsState& wcs, Clock::time_point now) {
    Verdict verdict;
    verdict.readings.reserve(settings.limits.size());  // the pointers below stay good
    const LimitReading* taken_out_by = nullptr;
    bool is_of_silence = false;  // of WCS
    auto otherwise = WhenStale::ignore;
    const LimitReading* highest = nullptr;
    LimitReading* evident = nullptr;  // for a `down`: less than the window is no evidence, but
                                      // keeps a node out
    const auto exceeds = [](const LimitReading& one, const LimitReading* other) {
        return !other || *one.utilisation > *other->utilisation;
    };
    for (const auto& limit : settings.limits) {
        auto judged = judge(limit, settings, measured, wcs, now);
        auto& reading = verdict.readings.emplace_back(std::move(judged.reading));
        reading.maximum = effective_maximum(limit, measured.link_capacity);
        reading.share = share_of(limit.maximum);
        if (!judged.is_checked) reading.maximum.reset();
        if (!limit.maximum || !judged.is_checked) {
            reading.unknown.clear();
            continue;
        }
        if (!reading.maximum) {
            reading.unknown = "the link's speed is not known";
            judged.otherwise = settings.when_unreadable;
            judged.is_silent = false;
        } else if (reading.value) {
            reading.utilisation = *reading.value / *reading.maximum;
            if (exceeds(reading, highest)) highest = &reading;
            const bool is_evidence = !reading.soft && (tripped_ || !judged.is_provisional);
            if (is_evidence && exceeds(reading, evident)) evident = &reading;
        }
        const bool takes_out = !reading.soft && (judged.otherwise == WhenStale::down ||
                                                 judged.otherwise == WhenStale::drain);
        const bool is_stronger =
            !taken_out_by || (judged.otherwise == WhenStale::down && otherwise != WhenStale::down);
        if (!reading.unknown.empty() && takes_out && is_stronger) {
            otherwise = judged.otherwise;
            taken_out_by = &reading;
            is_of_silence = judged.is_silent;
        }
    }

    tripped_ = evident && *evident->utilisation >= (tripped_ ? settings.recover : 1.0);
    if (const auto* decisive = tripped_ ? evident : taken_out_by ? taken_out_by : highest)
        verdict.bottleneck = decisive->name;
    if (tripped_) {
        evident->up_again_below = settings.recover * *evident->maximum;
        verdict.state = NodeState::down;
        verdict.cause = evident->name;
        verdict.reason = reason_while_down(*evident);
    } else if (taken_out_by) {
        verdict.state = otherwise == WhenStale::down ? NodeState::down : NodeState::drain;
        verdict.cause = is_of_silence ? causes::wcs_silent : causes::unreadable;
        const auto& [name, why] = std::tie(taken_out_by->name, taken_out_by->unknown);
        verdict.reason =
            is_of_wcs(taken_out_by->held) ? why : fmt::format("{} unknown: {}", name, why);
    } else {
        verdict.reason = reason_while_up(verdict.readings);
    }
    return verdict;
}

}  // namespace wcs_node_agent
