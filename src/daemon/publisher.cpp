// SPDX-License-Identifier: Apache-2.0
#include "daemon/publisher.hpp"

#include "haproxy/agent_reply.hpp"
#include "load/operator_order.hpp"

#include <algorithm>
#include <cstddef>
#include <utility>

#include <fmt/format.h>

namespace wcs_node_agent {

namespace {

Freshness freshness(const AnswerSettings& settings, std::chrono::nanoseconds fresh_for) {
    return {.fresh_for = fresh_for,
            .stale_after = settings.stale_after,
            .when_unreadable = settings.when_unreadable};
}

}  // namespace

void Publisher::configure(const Config& config, std::chrono::nanoseconds fresh_for,
                          const std::vector<std::shared_ptr<CurrentAnswer>>& of_profiles) {
    node_.configure(freshness(config, fresh_for));
    answers_.set_valid_for(fresh_for);
    history_.set_longest_pause(fresh_for);
    std::vector<PublishedProfile> next;
    for (std::size_t i = 0; i < of_profiles.size(); ++i) {
        const auto& profile = config.profiles[i];
        const auto known = std::ranges::find(profiles_, profile.name, &PublishedProfile::name);
        auto history = known == profiles_.end() ? AnswerHistory("profile " + profile.name,
                                                                "profile " + profile.name + ": ")
                                                : std::move(known->history);
        history.configure(freshness(profile, fresh_for));
        of_profiles[i]->set_valid_for(fresh_for);
        next.push_back({profile.name, std::move(history), of_profiles[i]});
    }
    profiles_ = std::move(next);
}

Publisher::PublishedProfile* Publisher::find(const ProfileAnswer& answer) {
    const auto found = std::ranges::find(profiles_, answer.name, &PublishedProfile::name);
    return found == profiles_.end() ? nullptr : &*found;
}

void Publisher::publish(Snapshot sampled) {
    node_.begin(sampled, sampled);
    for (auto& answer : sampled.profiles)
        if (auto* const profile = find(answer)) profile->history.begin(answer, sampled);
    replace(std::move(sampled));
}

void Publisher::publish_aged(const AgentCounters& agent, Clock::time_point now) {
    const auto last = snapshots_.get();
    if (!last) return;
    Snapshot snapshot = *last;
    // Those of a configuration before are gone, and the new ones have no sample yet.
    std::erase_if(snapshot.profiles, [this](const auto& answer) { return !find(answer); });
    snapshot.agent = agent;
    node_.age(snapshot, now - last->at);
    for (auto& answer : snapshot.profiles) find(answer)->history.age(answer, now - last->at);
    replace(std::move(snapshot));
}

void Publisher::set_word(const OperatorWord& word, std::size_t awaiting_ready) {
    word_ = word;
    awaiting_ready_ = awaiting_ready;
}

void Publisher::set_reload_fault(std::string why) {
    if (std::exchange(reload_fault_, std::move(why)) == reload_fault_) return;
    if (const auto last = snapshots_.get(); last && !last->starting) notify_status(last->verdict);
}

/// What `systemctl status` shows.
void Publisher::notify_status(const Verdict& verdict) {
    std::string text(to_string(verdict.state));
    if (!verdict.reason.empty()) text += ' ' + verdict.reason;
    if (!reload_fault_.empty()) text += "; the last reload was refused: " + reload_fault_;
    notifier_.status(text);
}

void Publisher::order(Answer& answer) const {
    if (word_.word == Word::ready) return;
    answer.verdict = ordered(std::move(answer.verdict), word_);
    answer.agent_reply = agent_reply(answer.verdict);
}

void Publisher::replace(Snapshot next) {
    next.word = word_;
    next.awaiting_ready = awaiting_ready_;
    order(next);
    for (auto& answer : next.profiles) order(answer);
    const bool is_first = node_.is_new() && !next.starting;
    if (node_.complete(next, answers_.get().get())) notify_status(next.verdict);
    for (auto& answer : next.profiles)
        if (auto* const profile = find(answer))
            profile->history.complete(answer, profile->answers->get().get());
    const auto published = std::make_shared<const Snapshot>(std::move(next));
    history_.add(*published, Clock::now());
    snapshots_.publish(published);
    answers_.publish(published);
    for (const auto& answer : published->profiles)
        if (auto* const profile = find(answer))
            profile->answers->publish(std::shared_ptr<const Answer>(published, &answer));
    if (is_first) notifier_.ready();
}

}  // namespace wcs_node_agent
