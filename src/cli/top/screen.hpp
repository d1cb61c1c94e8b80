// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/top/frame.hpp"

#include <cstddef>
#include <optional>

namespace wcs_node_agent {

/// The terminal of standard output, by ncurses, for as long as this lives. Then it is as before.
class Screen {
 public:
    /// None: the terminal's type (TERM) is not known, or cannot move its cursor. A program has one
    /// at a time.
    static std::optional<Screen> open();

    Screen(Screen&& other) noexcept;
    Screen& operator=(Screen&&) = delete;
    ~Screen();

    std::size_t rows() const;
    std::size_t columns() const;

    /// Lines that are too long are cut.
    void show(const Frame& frame);

    /// Writes all of it again, whatever the terminal has, and in its present size.
    void redraw();

    /// A character, or none: nothing is typed, or something that no key of ours is.
    std::optional<char> key();

 private:
    Screen() = default;

    bool owner_ = true;
};

/// Whether the locale of the environment is one of UTF-8. Sets it for the process.
bool utf8_locale();

}  // namespace wcs_node_agent
