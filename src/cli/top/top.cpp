// SPDX-License-Identifier: Apache-2.0
#include "cli/top/top.hpp"

#include "cli/top/screen.hpp"
#include "cli/top/status_history.hpp"
#include "cli/top/view.hpp"
#include "config/value_text.hpp"
#include "process/exit_status.hpp"

#include <wcs_node_agent/descriptor.hpp>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdlib>
#include <exception>
#include <fcntl.h>
#include <iterator>
#include <optional>
#include <ostream>
#include <poll.h>
#include <string>
#include <thread>
#include <unistd.h>
#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>

namespace wcs_node_agent {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;

constexpr std::array<std::chrono::milliseconds, 9> delays{250ms, 500ms, 1s,  2s, 5s,
                                                          10s,   20s,   30s, 60s};

/// The terminal, the readings, and what its user typed. All of it on one thread.
class Top {
 public:
    Top(asio::io_context& io, const AgentClient& agent, Descriptor terminal, Screen screen,
        View view, ServedJson first, const Json& kept)
        : io_(io),
          agent_(agent),
          screen_(std::move(screen)),
          view_(std::move(view)),
          terminal_(io, terminal.release()) {
        history_.begin(kept, first.json);
        take(std::move(first));
    }

    void start() {
        for (auto loop : {&Top::ask, &Top::read_keys, &Top::follow_signals})
            asio::co_spawn(io_, (this->*loop)(), [](const std::exception_ptr& error) {
                if (error) std::rethrow_exception(error);
            });
    }

 private:
    asio::awaitable<void> ask() {
        while (true) {
            timer_.expires_after(view_.delay);
            // A key that changes the delay ends the wait.
            const auto [error] = co_await timer_.async_wait(asio::as_tuple(asio::use_awaitable));
            if (error || view_.paused) continue;
            auto status = co_await agent_.fetch_status();
            if (status)
                take(*std::move(status));
            else
                view_.fault = status.error().what.substr(0, status.error().what.find('\n'));
            if (!view_.paused) draw();
        }
    }

    asio::awaitable<void> read_keys() {
        while (true) {
            co_await terminal_.async_wait(terminal_.wait_read, asio::use_awaitable);
            while (const auto key = screen_.key()) press(*key);
            pollfd gone{.fd = terminal_.native_handle(), .events = 0, .revents = 0};
            if (::poll(&gone, 1, 0) > 0) co_return io_.stop();
            draw();
        }
    }

    asio::awaitable<void> follow_signals() {
        while (true) {
            const int signal = co_await signals_.async_wait(asio::use_awaitable);
            if (signal != SIGWINCH) co_return io_.stop();
            screen_.redraw();
            draw();
        }
    }

    void press(char key) {
        switch (key) {
            case 'q':
                return io_.stop();
            case 'p':
            case ' ':
                view_.paused = !view_.paused;
                break;
            case '+':
                return ask_every(*std::prev(
                    std::max(delays.begin() + 1, std::ranges::lower_bound(delays, view_.delay))));
            case '-':
                return ask_every(
                    *std::min(delays.end() - 1, std::ranges::upper_bound(delays, view_.delay)));
            case 's':
                view_.order = static_cast<InterfaceOrder>((static_cast<int>(view_.order) + 1) % 3);
                break;
            case 'i':
                view_.all_interfaces = !view_.all_interfaces;
                break;
            case 'o':
                view_.all_limits = !view_.all_limits;
                break;
            case 'r':
                screen_.redraw();
                break;
            case 'h':
            case '?':
                view_.help = !view_.help;
                break;
            default:
                break;
        }
    }

    void ask_every(std::chrono::milliseconds delay) {
        view_.delay = delay;
        timer_.cancel();
    }

    void take(ServedJson status) {
        status_ = std::move(status.json);
        history_.add(status_);
        view_.fault.clear();
    }

    void draw() {
        view_.rows = screen_.rows();
        view_.columns = screen_.columns();
        screen_.show(render(status_, history_, view_));
    }

    asio::io_context& io_;
    const AgentClient& agent_;
    Screen screen_;
    View view_;
    Json status_;
    StatusHistory history_;
    asio::steady_timer timer_{io_};
    asio::posix::stream_descriptor terminal_;
    asio::signal_set signals_{io_, SIGWINCH, SIGINT, SIGTERM};
};

View view_of(const AgentClient& agent) {
    View view;
    view.utf8 = utf8_locale();
    view.address = agent.address();
    return view;
}

}  // namespace

int run_top(const AgentClient& agent, std::chrono::milliseconds delay, std::ostream& err) {
    // An open file of its own: waiting makes it non-blocking, which who shares standard input would
    // get too, and keep.
    Descriptor terminal(::open("/dev/tty", O_RDONLY | O_CLOEXEC | O_NOCTTY));
    if (!terminal || ::isatty(STDIN_FILENO) == 0 || ::isatty(STDOUT_FILENO) == 0) {
        err << "top needs a terminal; --once prints one frame\n";
        return exit_failed;
    }
    auto first = agent.status();
    if (!first) {
        err << first.error().what;
        return exit_failed;
    }
    View view = view_of(agent);
    view.delay = delay;
    auto screen = Screen::open();
    if (!screen) {
        const char* type = std::getenv("TERM");
        err << fmt::format(
            "the type of this terminal, TERM={}, is not known here; --once prints "
            "one frame\n",
            type == nullptr ? "" : type);
        return exit_failed;
    }
    asio::io_context io(1);
    Top top(io, agent, std::move(terminal), *std::move(screen), std::move(view), *std::move(first),
            agent.history());
    top.start();
    io.run();
    return exit_done;
}

int print_top(const AgentClient& agent, std::ostream& out, std::ostream& err) {
    View view = view_of(agent);
    if (const char* columns = std::getenv("COLUMNS"))
        view.columns = static_cast<std::size_t>(
            std::clamp(parse_number(columns).value_or(80), double{View::fewest_columns}, 1000.0));
    StatusHistory history;
    Json status;
    for (const auto wait : {2000ms, 0ms}) {
        auto reading = agent.status();
        if (!reading) {
            err << reading.error().what;
            return exit_failed;
        }
        if (status.is_null()) history.begin(agent.history(), reading->json);
        status = std::move(reading->json);
        history.add(status);
        std::this_thread::sleep_for(wait);
    }
    out << plain_text(render(status, history, view));
    return exit_done;
}

}  // namespace wcs_node_agent
