// SPDX-License-Identifier: Apache-2.0
#include "cli/operator_command.hpp"

#include "cli/control_client.hpp"
#include "config/value_text.hpp"
#include "load/operator_order.hpp"
#include "process/exit_status.hpp"

#include <wcs_node_agent/clock.hpp>

#include <csignal>
#include <ctime>
#include <ostream>
#include <pthread.h>
#include <string>
#include <utility>

#include <fmt/format.h>

namespace wcs_node_agent {

namespace {

constexpr auto report_pace = std::chrono::seconds(10);  // where nothing changes
constexpr std::string_view way_back = "the node stays as it is: wcs-node-agent ready takes it back";

/// Holds SIGINT and SIGTERM back, so that the waiting can say how it leaves the node.
class Interruption {
 public:
    Interruption() {
        sigemptyset(&signals_);
        for (const int signal : {SIGINT, SIGTERM}) sigaddset(&signals_, signal);
        ::pthread_sigmask(SIG_BLOCK, &signals_, nullptr);
    }

    /// Whether one of them comes within this second.
    bool within_a_second() const {
        const timespec second{.tv_sec = 1, .tv_nsec = 0};
        return ::sigtimedwait(&signals_, nullptr, &second) > 0;
    }

 private:
    sigset_t signals_{};
};

std::string balancers_text(std::size_t count) {
    return fmt::format("{} {}", count, count == 1 ? "balancer has" : "balancers have");
}

/// What keeps the waiting from its end; empty: nothing does.
std::string what_is_missing(const ControlReply& reply, const WaitUntil& until, bool is_settled) {
    if (!reply.sessions.count)
        return fmt::format("how many sessions are left is unknown: {}", reply.sessions.unknown);
    std::string left = fmt::format("{:.15g} sessions are left", *reply.sessions.count);
    if (*reply.sessions.count > static_cast<double>(until.sessions)) return left;
    if (reply.silent > 0)
        return fmt::format("{}; {} not asked since", left, balancers_text(reply.silent));
    return is_settled ? "" : left + "; waiting for WCS to count them again";
}

class Waiting {
 public:
    Waiting(const ControlSettings& settings, const WaitUntil& until, std::ostream& out,
            std::ostream& err)
        : settings_(settings), until_(until), out_(out), err_(err) {}

    int run() {
        const Interruption interruption;
        for (;;) {
            const auto reply = ask_control_socket(settings_.socket, look_request);
            if (reply && reply->word.word == Word::ready) {
                err_ << "taken back: " << word_text(reply->word) << '\n';
                return exit_failed;
            }
            const std::string missing =
                reply ? look_at(*reply)
                      : "the agent does not answer, which is waited for: " + reply.error().what;
            if (missing.empty()) {
                out_ << fmt::format("done: {:.15g} sessions are left\n", *reply->sessions.count);
                return exit_done;
            }
            report(missing);
            if (Clock::now() - begin_ >= until_.deadline) return give_up("deadline reached");
            if (interruption.within_a_second()) return give_up("interrupted");
        }
    }

 private:
    /// A count from before the last balancer heard the word may lack a session that it sent.
    std::string look_at(const ControlReply& reply) {
        if (reply.silent > 0)
            heard_by_all_.reset();
        else if (!heard_by_all_)
            heard_by_all_ = Clock::now();
        const auto counted = Clock::now() - std::chrono::duration_cast<Clock::duration>(
                                                Seconds(reply.sessions.page_age));
        return what_is_missing(reply, until_, heard_by_all_ && counted > *heard_by_all_);
    }

    void report(const std::string& text) {
        const auto now = Clock::now();
        if (text == last_ && now - reported_ < report_pace) return;
        last_ = text;
        reported_ = now;
        out_ << text << std::endl;
    }

    int give_up(std::string_view why) {
        err_ << why << ": " << last_ << "; " << way_back << '\n';
        return exit_failed;
    }

    const ControlSettings& settings_;
    const WaitUntil& until_;
    std::ostream& out_;
    std::ostream& err_;
    Clock::time_point begin_ = Clock::now();
    std::optional<Clock::time_point> heard_by_all_;
    std::string last_;
    Clock::time_point reported_;
};

}  // namespace

int say_word(const ControlSettings& settings, Word word, const std::optional<WaitUntil>& wait,
             std::ostream& out, std::ostream& err) {
    if (settings.socket.empty()) {
        err << "control.socket is empty: no agent takes the operator's word\n";
        return exit_failed;
    }
    const auto reply = ask_control_socket(settings.socket, to_string(word));
    if (!reply) {
        err << reply.error().what << '\n';
        return exit_failed;
    }
    out << (reply->changed ? "" : "already ") << word_text(reply->word);
    if (reply->awaiting_ready > 0)
        out << fmt::format("; {} to hear it yet", balancers_text(reply->awaiting_ready));
    out << std::endl;
    if (!reply->not_kept.empty())
        err << "a restart of the agent would not know it: " << reply->not_kept << '\n';
    return wait ? Waiting(settings, *wait, out, err).run() : exit_done;
}

}  // namespace wcs_node_agent
