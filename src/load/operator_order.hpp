// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <wcs_node_agent/operator_word.hpp>
#include <wcs_node_agent/verdict.hpp>

#include <string>

namespace wcs_node_agent {

/// The verdict as the operator's drain or maint makes it, which says who and since when before what
/// was judged. The limits and how the weight would be made stay.
Verdict ordered(Verdict judged, const OperatorWord& word);

/// "drain by root since 2026-11-28T07:20:00Z"; "ready" where nobody has said a word.
std::string word_text(const OperatorWord& word);

}  // namespace wcs_node_agent
