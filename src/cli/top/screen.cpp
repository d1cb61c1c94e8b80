// SPDX-License-Identifier: Apache-2.0
#include "cli/top/screen.hpp"

#include "cli/top/fitting.hpp"

#include <algorithm>
#include <clocale>
#include <cstdio>
#include <cstdlib>
#include <langinfo.h>
#include <string_view>
#include <sys/ioctl.h>
#include <unistd.h>
#include <utility>

#include <fmt/format.h>

#define NCURSES_NOMACROS
#include <ncurses.h>

namespace wcs_node_agent {
namespace {

enum Pair : short { good_pair = 1, warning_pair, bad_pair };

/// https://no-color.org: set and not empty.
bool wants_colour() {
    const char* no_colour = std::getenv("NO_COLOR");
    return no_colour == nullptr || *no_colour == '\0';
}

attr_t attributes(Style style) {
    const auto coloured = [](Pair pair, attr_t without) {
        return has_colors() && wants_colour() ? static_cast<attr_t>(COLOR_PAIR(pair)) : without;
    };
    switch (style) {
        case Style::plain:
            return A_NORMAL;
        case Style::strong:
            return A_BOLD;
        case Style::heading:
            return A_REVERSE;
        case Style::dim:
            return A_DIM;
        case Style::good:
            return coloured(good_pair, A_NORMAL);
        case Style::warning:
            return coloured(warning_pair, A_BOLD) | A_BOLD;
        case Style::bad:
            return coloured(bad_pair, A_REVERSE) | A_BOLD;
    }
    return A_NORMAL;
}

SCREEN* terminal = nullptr;

}  // namespace

std::optional<Screen> Screen::open() {
    terminal = newterm(nullptr, stdout, stdin);
    if (terminal == nullptr) return std::nullopt;
    set_term(terminal);
    cbreak();
    noecho();
    curs_set(0);
    nodelay(stdscr, true);
    if (has_colors() && wants_colour()) {
        start_color();
        use_default_colors();
        init_pair(good_pair, COLOR_GREEN, -1);
        init_pair(warning_pair, COLOR_YELLOW, -1);
        init_pair(bad_pair, COLOR_RED, -1);
    }
    return Screen();
}

Screen::Screen(Screen&& other) noexcept : owner_(std::exchange(other.owner_, false)) {}

Screen::~Screen() {
    if (!owner_) return;
    endwin();
    delscreen(std::exchange(terminal, nullptr));
}

std::size_t Screen::rows() const { return static_cast<std::size_t>(getmaxy(stdscr)); }

std::size_t Screen::columns() const { return static_cast<std::size_t>(getmaxx(stdscr)); }

void Screen::show(const Frame& frame) {
    werase(stdscr);
    int row = 0;
    for (const Line& line : frame) {
        if (row >= getmaxy(stdscr)) break;
        wmove(stdscr, row++, 0);
        auto room = columns();
        for (const Span& span : line) {
            // What goes past the end of a line ncurses writes into the next one.
            const auto text = fmt::format("{:.{}}", span.text, room);  // in characters
            room -= std::min(room, columns_of(text));
            wattrset(stdscr, static_cast<int>(attributes(span.style)));
            waddstr(stdscr, text.c_str());
        }
        wattrset(stdscr, A_NORMAL);
    }
    wrefresh(stdscr);
}

void Screen::redraw() {
    winsize size{};
    if (::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > 0 && size.ws_col > 0)
        resizeterm(size.ws_row, size.ws_col);
    clearok(curscr, true);
}

std::optional<char> Screen::key() {
    const int key = wgetch(stdscr);
    if (key < ' ' || key > '~') return std::nullopt;
    return static_cast<char>(key);
}

bool utf8_locale() {
    return std::setlocale(LC_CTYPE, "") != nullptr &&
           std::string_view(nl_langinfo(CODESET)) == "UTF-8";
}

}  // namespace wcs_node_agent
