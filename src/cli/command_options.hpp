// SPDX-License-Identifier: Apache-2.0
#pragma once

namespace CLI {
class App;
}

// The options of each command, added once it is known to be the one that is given: all of them
// would be most of what the start of the program takes.

namespace wcs_node_agent {

void add_run_options(CLI::App& run);  // doctor's too
void add_check_options(CLI::App& check);
void add_status_options(CLI::App& status);
void add_top_options(CLI::App& top);
void add_word_options(CLI::App& word);  // maint's, ready's and reload's
void add_drain_options(CLI::App& drain);
void add_unpin_options(CLI::App& unpin);
void add_config_check_options(CLI::App& config_check);
void add_config_show_options(CLI::App& config_show);

}  // namespace wcs_node_agent
