// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "config/json.hpp"
#include "haproxy/told_balancers.hpp"

#include <wcs_node_agent/operator_word.hpp>
#include <wcs_node_agent/result.hpp>

#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace wcs_node_agent {

/// What a restart of the agent must not forget.
struct KeptWord {
    OperatorWord word;
    std::vector<ToldBalancers::Balancer> balancers;  // that heard otherwise than `ready`

    bool operator==(const KeptWord&) const = default;
};

/// The word with who and since when (whole seconds of Unix time), and back. None: it is none.
Json word_json(const OperatorWord& word);
std::optional<OperatorWord> read_word(const Json& json);

/// The text of the file, and back. The error continues a sentence that begins with the file's name.
std::string to_text(const KeptWord& kept);
Result<KeptWord> parse_kept_word(std::string_view text);

/// Of a file that is not there: what holds where nobody has said a word.
Result<KeptWord> read_kept_word(const std::filesystem::path& file);

/// Replaces the file as a whole: after a crash it is the old one or the new one. Waits for the
/// disk.
Result<void> write_file(const std::filesystem::path& file, std::string_view text);

}  // namespace wcs_node_agent
