// SPDX-License-Identifier: Apache-2.0
#include "daemon/sampler.hpp"

#include "daemon/interface_names.hpp"
#include "haproxy/agent_reply.hpp"

#include <algorithm>
#include <span>
#include <utility>

#include <fmt/ranges.h>
#include <spdlog/spdlog.h>

namespace wcs_node_agent {

using namespace std::chrono_literals;

Sampler::Sampler(OpenedProbe probe, LinkMonitor links, const Config& config)
    : probe_(std::move(probe)), links_(std::move(links)), window_(config.window) {
    configure(config);
}

void Sampler::configure(const Config& config) {
    window_.set_window(config.window);
    window_.set_wire_overhead(config.wire_overhead);
    peak_meter_.set_wire_overhead(config.wire_overhead);
    count_names_ = config.counts;
    if (policy_settings_.limits != config.limits) policy_.forget_page();
    policy_settings_ = {.limits = config.limits,
                        .recover = config.recover,
                        .stale_after = config.stale_after,
                        .when_stale = config.when_stale,
                        .when_unreadable = config.when_unreadable};
    globs_ = config.interfaces;
    if (std::exchange(peaks_, config.peaks) != peaks_) restart_peaks();
    select();
}

Result<void> Sampler::refresh_links() {
    auto listed = links_.list();
    if (!listed) return listed.error();
    known_links_ = std::move(listed).value();
    select();
    probe_.probe->set_links(known_links_, selection_.selected);
    return {};
}

void Sampler::attach_selected() {
    while (probe_.probe->pending() == Pending::priority) attach_next();
}

void Sampler::select() {
    if (known_links_.empty()) return;  // not listed yet
    const auto before = std::exchange(selection_, select_interfaces(known_links_, globs_));
    capacity_.expect_change();
    log_selection(before);
}

/// What is new of it.
void Sampler::log_selection(const Selection& before) {
    for (const auto& one : selection_.left_out)
        if (std::ranges::find(before.left_out, one) == before.left_out.end())
            spdlog::info("{} is left out of the sum, as its frames are counted on {}",
                         name_of(known_links_, one.index), name_of(known_links_, one.counted_on));
    if (std::exchange(has_selected_, true) && selection_.selected == before.selected) return;
    restart_peaks();
    if (selection_.selected.empty())
        spdlog::warn(
            "no interface to hold the bandwidth limits against: there is no route to the internet "
            "and no physical interface, or none matches; name one with --interface");
    else
        spdlog::info("included in the bandwidth limits: {}",
                     fmt::join(names_of(known_links_, selection_.selected), ", "));
}

ConfigErrors Sampler::check(const Config& config) {
    const auto selection = select_interfaces(known_links_, config.interfaces);
    auto errors = check_names(selection, known_links_);
    if (errors.empty()) errors = capacity_.check(config.limits, known_links_, selection.selected);
    return errors;
}

Result<Snapshot> Sampler::sample(const WcsState& wcs, const AgentCounters& agent) {
    auto counters = witness_.read(*probe_.probe, known_links_, selection_.selected, window_);
    if (!counters) return counters.error();
    window_.add(*counters);
    hottest_cpu_.add(*counters);

    Snapshot snapshot;
    snapshot.at = counters->at;
    snapshot.wall = std::chrono::system_clock::now();
    snapshot.started = started_;
    snapshot.source = probe_.probe->source();
    snapshot.source_detail = probe_.detail;
    snapshot.counters = std::move(counters).value();
    snapshot.selected_interfaces = names_of(known_links_, selection_.selected);
    snapshot.rates = measured_rates();
    hottest_cpu_.set(snapshot.rates);
    read_receive_files(snapshot);
    if (snapshot.counters.buckets) peak_meter_.add(*snapshot.counters.buckets);
    snapshot.peaks = measured_peaks(snapshot.counters);
    snapshot.wcs = wcs;
    snapshot.count_names = count_names_;
    snapshot.stale_after = policy_settings_.stale_after;
    snapshot.verdict =
        policy_.decide(policy_settings_,
                       {.rates = snapshot.rates,
                        .cpu_unknown = snapshot.counters.cpus_unknown,
                        .bandwidth_unknown = bandwidth_unknown(snapshot),
                        .udp_unknown = snapshot.receive.udp_unknown,
                        .peaks_unknown = peaks_unknown(snapshot),
                        .peaks = snapshot.peaks,
                        .link_capacity = capacity_.capacity(policy_settings_.limits, known_links_,
                                                            selection_.selected, snapshot.at)},
                       snapshot.wcs, snapshot.at);
    add_shares_over_limits(snapshot);
    snapshot.agent = agent;
    snapshot.agent_reply = agent_reply(snapshot.verdict);
    return snapshot;
}

void Sampler::read_receive_files(Snapshot& snapshot) {
    snapshot.receive = receive_files_.read(snapshot.at);
    if (const auto& udp = snapshot.receive.udp)
        udp_loss_.add(receive_files_.read_at(), *udp);
    else
        udp_loss_.restart();
    udp_loss_.set(snapshot.rates);
}

/// Without an interface that is configured by its name, the sum is a part of what was asked for.
Rates Sampler::measured_rates() const {
    auto rates = window_.rates(selection_.selected);
    if (selection_.unmatched.empty()) return rates;
    for (const auto rate :
         {&Means::bits_in, &Means::bits_out, &Means::frames_in, &Means::frames_out}) {
        if (rates.*rate) rates.at_least.*rate = rates.*rate;
        rates.*rate = rates.so_far.*rate = std::nullopt;
    }
    return rates;
}

void Sampler::restart_peaks() {
    probe_.probe->select(selection_.selected, peaks_);
    peak_meter_.restart();
}

/// Of all that is selected, or absent: a part of a sum has no peak of the sum.
Peaks Sampler::measured_peaks(const RawCounters& counters) const {
    if (!counters.buckets || !selection_.unmatched.empty() ||
        !are_counted_by_source(counters, selection_.selected, counters.at - 1s))
        return {};
    return peak_meter_.peaks();
}

void Sampler::add_shares_over_limits(Snapshot& snapshot) const {
    if (!snapshot.peaks.bits_in) return;
    const auto share = [&](std::string_view limit,
                           const Direction& direction) -> std::optional<double> {
        const auto& maximum = named(snapshot.verdict.readings, limit).maximum;  // Mbit/s
        if (!maximum) return std::nullopt;
        return peak_meter_.share_over(*maximum * 1e6, direction);
    };
    snapshot.peaks.over_limit_in = share("band_in", directions[0]);
    snapshot.peaks.over_limit_out = share("band_out", directions[1]);
}

/// Why there is no rate; empty where only the window is not full yet.
std::string Sampler::bandwidth_unknown(const Snapshot& snapshot) const {
    if (!selection_.unmatched.empty())
        return fmt::format("no interface has the name {}", fmt::join(selection_.unmatched, ", "));
    if (selection_.selected.empty()) return "no interface is selected";
    const auto& uncounted = snapshot.rates.uncounted;
    if (uncounted.empty()) return "";
    const auto why = snapshot.counters.not_counted.find(uncounted.front());
    return fmt::format("{} not counted{}", fmt::join(names_of(known_links_, uncounted), ", "),
                       why == snapshot.counters.not_counted.end() ? "" : ": " + why->second);
}

/// Why there is no peak; empty where only its second is not over.
std::string Sampler::peaks_unknown(const Snapshot& snapshot) const {
    auto why = bandwidth_unknown(snapshot);
    if (why.empty() && snapshot.source == Source::procfs) why = "source procfs has no peaks";
    return why;
}

}  // namespace wcs_node_agent
