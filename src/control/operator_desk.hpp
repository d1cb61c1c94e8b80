// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "control/control_protocol.hpp"
#include "control/control_server.hpp"
#include "control/word_keeper.hpp"
#include "haproxy/agent_server.hpp"
#include "net/current_snapshot.hpp"

#include <wcs_node_agent/clock.hpp>
#include <wcs_node_agent/config.hpp>
#include <wcs_node_agent/operator_word.hpp>
#include <wcs_node_agent/result.hpp>

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <sys/types.h>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>

namespace wcs_node_agent {

/// Where the operator's word is taken, kept, and told. Must outlive the running of its executor.
class OperatorDesk {
 public:
    /// Reads the configuration again; what was wrong with it, or empty.
    using Reload = std::function<asio::awaitable<std::string>()>;

    /// `on_word` is called whenever another word holds.
    OperatorDesk(const asio::any_io_executor& executor, AgentServer& balancers,
                 const CurrentSnapshot& snapshots, std::function<void()> on_word, Reload reload);

    /// Listens for commands, while this process has its privileges. Without a socket there is no
    /// word either. The error: nobody can say one now, but the last one holds.
    Result<void> open(const ControlSettings& settings);

    /// The user as whom this will go on has the folder of the file, if that has to be made.
    void give_to(uid_t user, gid_t group) const;

    /// Takes up what held before, and serves until stop().
    asio::awaitable<void> serve();

    const OperatorWord& word() const { return word_; }

    /// Balancers that have to hear `ready` yet.
    std::size_t awaiting_ready() const;

    /// A moment has passed: forgets balancers that have heard `ready` for long enough.
    void pass(Clock::time_point now) { balancers_.told().forget_done(now); }

    /// Closes the socket; what is to be kept is, on return.
    void stop();

 private:
    asio::awaitable<std::string> answer(std::string request, uid_t from);
    asio::awaitable<std::string> reload(uid_t from);
    bool say(Word word, uid_t from);
    ControlReply look() const;
    void restore();
    void keep_balancers();
    asio::awaitable<void> keep_in_turn();
    asio::awaitable<std::string> keep();
    WordKeeper& keeper();

    asio::any_io_executor executor_;
    AgentServer& balancers_;
    const CurrentSnapshot& snapshots_;
    std::function<void()> on_word_;
    Reload reload_;
    ControlServer server_;
    ControlSettings settings_;
    OperatorWord word_;
    Clock::time_point said_;            // the word that holds
    std::optional<WordKeeper> keeper_;  // from the first word on
    bool is_keeping_ = false;           // keep_in_turn() runs
    bool is_changed_ = false;           // since it wrote last
    std::string not_kept_;              // why, the last time
};

}  // namespace wcs_node_agent
