// SPDX-License-Identifier: Apache-2.0
#include "daemon/sampler.hpp"

#include "config/profile_values.hpp"
#include "daemon/interface_names.hpp"

#include <algorithm>
#include <span>
#include <utility>

#include <fmt/ranges.h>
#include <spdlog/spdlog.h>

namespace wcs_node_agent {

using namespace std::chrono_literals;

Sampler::Sampler(OpenedProbe probe, LinkMonitor links, const Config& config)
    : probe_(std::move(probe)),
      links_(std::move(links)),
      window_(config.window),
      cpu_window_(config.window_of_cpu()) {
    configure(config, 0);
}

void Sampler::configure(const Config& config, std::uint64_t revision) {
    revision_ = revision;
    window_.set_window(config.window);
    cpu_window_.set_window(config.window_of_cpu());
    window_.set_wire_overhead(config.wire_overhead);
    peak_meter_.set_wire_overhead(config.wire_overhead);
    limits_ = config.limits;
    all_limits_ = limits_of_all(config);
    globs_ = config.interfaces;
    if (std::exchange(peaks_, config.peaks) != peaks_) restart_peaks();
    select();
}

Result<void> Sampler::refresh_links() {
    if (auto done = links_.update(); !done) return done;
    select();
    probe_.probe->set_links(links_.links(), selection_.selected, links_.take_touched());
    return {};
}

void Sampler::attach_selected() {
    while (probe_.probe->pending() == Pending::priority) attach_next();
}

void Sampler::select() {
    if (links_.links().empty()) return;  // not listed yet
    const auto before = std::exchange(selection_, select_interfaces(links_.links(), globs_));
    capacity_.expect_change();
    log_selection(before);
}

/// What is new of it.
void Sampler::log_selection(const Selection& before) {
    for (const auto& one : selection_.left_out)
        if (std::ranges::find(before.left_out, one) == before.left_out.end())
            spdlog::info("{} is left out of the sum, as its frames are counted on {}",
                         name_of(links_.links(), one.index),
                         name_of(links_.links(), one.counted_on));
    if (std::exchange(has_selected_, true) && selection_.selected == before.selected) return;
    restart_peaks();
    if (selection_.selected.empty())
        spdlog::warn(
            "no interface to hold the bandwidth limits against: there is no route to the internet "
            "and no physical interface, or none matches; name one with --interface");
    else
        spdlog::info("included in the bandwidth limits: {}",
                     fmt::join(names_of(links_.links(), selection_.selected), ", "));
}

ConfigErrors Sampler::check(const Config& config) {
    const auto selection = select_interfaces(links_.links(), config.interfaces);
    auto errors = check_names(selection, links_.links());
    if (errors.empty())
        errors = capacity_.check(limits_of_all(config), links_.links(), selection.selected);
    return errors;
}

Result<Sample> Sampler::sample() {
    auto counters = witness_.read(*probe_.probe, links_.links(), selection_.selected, window_);
    if (!counters) return counters.error();
    window_.add(*counters);
    cpu_window_.add(*counters);
    hottest_cpu_.add(*counters);

    Sample sample;
    sample.revision = revision_;
    sample.source = probe_.probe->source();
    sample.source_detail = probe_.detail;
    sample.counters = std::move(counters).value();
    sample.selected_interfaces = names_of(links_.links(), selection_.selected);
    sample.rates = measured_rates();
    cpu_window_.set(sample.rates);
    hottest_cpu_.set(sample.rates);
    read_receive_files(sample);
    sample.process = usage_reader_.read(sample.counters.at);
    sample.bandwidth_unknown = bandwidth_unknown(sample);
    sample.link_capacity =
        capacity_.capacity(all_limits_, links_.links(), selection_.selected, sample.counters.at);
    if (sample.counters.buckets) peak_meter_.add(*sample.counters.buckets);
    sample.peaks = measured_peaks(sample);
    sample.peaks_unknown = peaks_unknown(sample);
    return sample;
}

void Sampler::read_receive_files(Sample& sample) {
    sample.receive = receive_files_.read(sample.counters.at);
    if (const auto& udp = sample.receive.udp)
        udp_loss_.add(receive_files_.read_at(), *udp);
    else
        udp_loss_.restart();
    udp_loss_.set(sample.rates);
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
Peaks Sampler::measured_peaks(const Sample& sample) const {
    const auto& counters = sample.counters;
    if (!counters.buckets || !selection_.unmatched.empty() ||
        !are_counted_by_source(counters, selection_.selected, counters.at - 1s))
        return {};
    auto peaks = peak_meter_.peaks();
    if (!peaks.bits_in) return peaks;
    const auto share_over = [&](std::string_view limit,
                                const Direction& direction) -> std::optional<double> {
        const auto maximum = effective_maximum(named(limits_, limit), sample.link_capacity);
        if (!maximum) return std::nullopt;
        return peak_meter_.share_over(*maximum * 1e6, direction);  // from Mbit/s
    };
    peaks.over_limit_in = share_over("band_in", directions[0]);
    peaks.over_limit_out = share_over("band_out", directions[1]);
    return peaks;
}

/// Why there is no rate; empty where only the window is not full yet.
std::string Sampler::bandwidth_unknown(const Sample& sample) const {
    if (!selection_.unmatched.empty())
        return fmt::format("no interface has the name {}", fmt::join(selection_.unmatched, ", "));
    if (selection_.selected.empty()) return "no interface is selected";
    const auto& uncounted = sample.rates.uncounted;
    if (uncounted.empty()) return "";
    const auto why = sample.counters.not_counted.find(uncounted.front());
    return fmt::format("{} not counted{}", fmt::join(names_of(links_.links(), uncounted), ", "),
                       why == sample.counters.not_counted.end() ? "" : ": " + why->second);
}

/// Why there is no peak; empty where only its second is not over.
std::string Sampler::peaks_unknown(const Sample& sample) const {
    auto why = sample.bandwidth_unknown;
    if (why.empty() && sample.source == Source::procfs) why = "source procfs has no peaks";
    return why;
}

}  // namespace wcs_node_agent
