// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "cli/top/frame.hpp"
#include "cli/top/view.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace wcs_node_agent {

/// Others' bytes (names of interfaces, texts of WCS) as this terminal can show them, a column a
/// character.
std::string shown(const Json& json, const View& view);

/// "12 s", "5 min", "3 d 4 h"; `-` for what is not a number.
std::string span_of_time(const Json& seconds);

/// A column of a table: a number with one decimal, right-aligned.
std::string cell(const std::optional<double>& value, double factor, std::size_t width);

/// Of a state of the node, by its name.
Style style_of(const Json& state);

/// Of a share of a limit: near it from 80 % on.
Style style_of(double utilisation);

/// As wide as the screen.
Line heading(std::string text, const View& view);

inline constexpr std::size_t label_width = 12;  // columns

/// How many columns there are beside a label.
std::size_t beside_label(const View& view);

/// The text beside its label, in as many lines as it takes.
void add_labelled(Frame& frame, std::string_view label, const std::string& text, const View& view,
                  Style style = Style::plain);

}  // namespace wcs_node_agent
