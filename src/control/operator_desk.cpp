// SPDX-License-Identifier: Apache-2.0
#include "control/operator_desk.hpp"

#include "control/control_socket.hpp"
#include "control/word_file.hpp"
#include "load/operator_order.hpp"
#include "process/accounts.hpp"

#include <cerrno>
#include <chrono>
#include <cstring>
#include <exception>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <fmt/format.h>
#include <spdlog/spdlog.h>

namespace wcs_node_agent {

OperatorDesk::OperatorDesk(const asio::any_io_executor& executor, AgentServer& balancers,
                           const CurrentSnapshot& snapshots, std::function<void()> on_word,
                           Reload reload)
    : executor_(executor),
      balancers_(balancers),
      snapshots_(snapshots),
      on_word_(std::move(on_word)),
      reload_(std::move(reload)),
      server_(executor, [this](std::string request, uid_t from) {
          return answer(std::move(request), from);
      }) {}

Result<void> OperatorDesk::open(const ControlSettings& settings) {
    settings_ = settings;
    balancers_.told().repeat_for(settings_.repeat_ready);
    if (settings_.socket.empty()) return {};
    return open_control_socket(server_.listener(), settings_);
}

void OperatorDesk::give_to(uid_t user, gid_t group) const {
    if (settings_.socket.empty()) return;
    const auto folder = settings_.state_file.parent_path();
    if (::mkdir(folder.c_str(), 0700) != 0) return;  // there, and somebody's already
    const Descriptor made(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (!made || ::fchown(made.get(), user, group) != 0)
        spdlog::warn("{}: cannot be given to user {}: {}", folder.native(), user,
                     std::strerror(errno));
}

asio::awaitable<void> OperatorDesk::serve() {
    restore();
    return server_.serve();
}

/// Read as the user that this runs as, to whom the file belongs.
void OperatorDesk::restore() {
    if (settings_.socket.empty()) return;
    auto kept = read_kept_word(settings_.state_file);
    if (kept) {
        word_ = kept->word;
        said_ = Clock::now();
        balancers_.told().restore(std::move(kept->balancers), said_);
        if (word_.word != Word::ready)
            spdlog::warn("the operator's word holds: {}", word_text(word_));
        on_word_();
    } else {
        spdlog::error("{} {}: ignored, the operator's word is ready", settings_.state_file.native(),
                      kept.error().what);
    }
    balancers_.told().on_change([this] { keep_balancers(); });
}

void OperatorDesk::stop() {
    const bool was_open = server_.listener().is_open();
    server_.stop();
    if (was_open) remove_control_socket(settings_.socket);
    if (keeper_) keeper_->finish();
}

asio::awaitable<std::string> OperatorDesk::answer(std::string request, uid_t from) {
    ControlReply reply;
    if (request == look_request) co_return to_line(look());
    if (request == reload_request) {
        auto fault = co_await reload(from);
        reply = look();
        reply.error = std::move(fault);
        co_return to_line(reply);
    }
    const auto word = word_in(request);
    if (!word) {
        reply.word = word_;
        reply.error = "is not a request: drain, maint, ready, look, reload";
        co_return to_line(reply);
    }
    const bool changed = say(*word, from);
    const std::string not_kept = co_await keep();
    reply = look();
    reply.changed = changed;
    reply.not_kept = not_kept;
    co_return to_line(reply);
}

/// For root, and for the unit's ExecReload=, which runs as the service's user. What is wrong, or
/// empty.
asio::awaitable<std::string> OperatorDesk::reload(uid_t from) {
    if (from != 0 && from != ::geteuid()) co_return "is for root and for the agent's own user";
    const auto fault = co_await reload_();
    co_return fault.empty() ? "" : "was refused, nothing changed: " + fault;
}

/// True: it is another one than before.
bool OperatorDesk::say(Word word, uid_t from) {
    if (word == word_.word) return false;
    const auto before = word_text(word_);
    word_ = {word, user_name(from),
             std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now())};
    on_word_();
    said_ = Clock::now();  // checks from now on have heard it
    spdlog::warn("the operator says {} (uid {}), before: {}", word_text(word_), from, before);
    return true;
}

std::size_t OperatorDesk::awaiting_ready() const {
    return word_.word == Word::ready ? balancers_.told().awaiting() : 0;
}

ControlReply OperatorDesk::look() const {
    const auto now = Clock::now();
    ControlReply reply;
    reply.word = word_;
    reply.sessions = sessions_left(snapshots_.get().get(), now);
    reply.silent = balancers_.silent_balancers(said_, now);
    reply.awaiting_ready = awaiting_ready();
    return reply;
}

void OperatorDesk::keep_balancers() {
    is_changed_ = true;
    if (!std::exchange(is_keeping_, true))
        asio::co_spawn(executor_, keep_in_turn(), asio::detached);
}

/// However often they change, one write at a time.
asio::awaitable<void> OperatorDesk::keep_in_turn() {
    while (std::exchange(is_changed_, false)) co_await keep();
    is_keeping_ = false;
}

asio::awaitable<std::string> OperatorDesk::keep() {
    std::string why;
    try {
        std::string text = to_text(KeptWord{word_, balancers_.told().balancers()});
        why = co_await keeper().keep(std::move(text));
    } catch (const std::exception& unhandled) {
        why = unhandled.what();
    }
    if (why != not_kept_ && !why.empty())
        spdlog::error("a restart would not know the operator's word: {}", why);
    not_kept_ = why;
    co_return why;
}

WordKeeper& OperatorDesk::keeper() {
    if (!keeper_) keeper_.emplace(settings_.state_file);
    return *keeper_;
}

}  // namespace wcs_node_agent
