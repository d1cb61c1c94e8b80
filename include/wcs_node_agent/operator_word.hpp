// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <string>
#include <string_view>

namespace wcs_node_agent {

/// What the operator says of the node: judge it, give it no new sessions, take it out.
enum class Word { ready, drain, maint };

inline constexpr std::array all_words{Word::ready, Word::drain, Word::maint};

constexpr std::string_view to_string(Word word) {
    constexpr std::array<std::string_view, all_words.size()> names{"ready", "drain", "maint"};
    return names[static_cast<std::size_t>(word)];
}

/// The word that holds, and whose it is.
struct OperatorWord {
    Word word = Word::ready;
    std::string by;  // a user's name or number; empty: nobody has said a word yet
    std::chrono::system_clock::time_point since;  // in whole seconds

    bool operator==(const OperatorWord&) const = default;
};

}  // namespace wcs_node_agent
