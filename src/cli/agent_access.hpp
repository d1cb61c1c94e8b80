// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "wcs/client.hpp"
#include "wcs/tls_trust.hpp"

#include <wcs_node_agent/config.hpp>
#include <wcs_node_agent/result.hpp>
#include <wcs_node_agent/wcs_url.hpp>

#include <string>

namespace wcs_node_agent {

/// Which agent the command line asks, and by whose word it is believed to be that one.
struct AskedAgent {
    std::string url = {};  // http[s]://HOST[:PORT][/PATH]; empty: the one of the configuration
    std::string ca_file =
        {};                 // PEM; empty: the system's CAs, or the configured agent's certificate
    bool insecure = false;  // any certificate will do
};

/// How an agent is reached over HTTP.
struct AgentAccess {
    WcsUrl url = {};  // its root, to which /status and the like are added
    TlsTrust trust = {};
    Asker asker = {};
    std::string username = {};       // empty: none is said
    std::string password_from = {};  // where its password was
    bool is_own = false;             // the one of the configuration
};

/// Of the configuration it is the agent at the first metrics_listen, over loopback if that is any
/// address; by TLS if its web file says so, and then it is believed by the very certificate that
/// this file names. Reads the files that config.client names. The error is lines for the user, with
/// what to give.
Result<AgentAccess> agent_access(const Config& config, const AskedAgent& asked);

/// Why there is no answer, and what the user can do about it.
std::string why_no_answer(const AgentAccess& access, const FetchError& error);

}  // namespace wcs_node_agent
