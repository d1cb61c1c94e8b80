// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <wcs_node_agent/descriptor.hpp>
#include <wcs_node_agent/result.hpp>

#include <optional>
#include <string>
#include <string_view>
#include <sys/types.h>
#include <vector>

#include <boost/asio/ip/tcp.hpp>

namespace wcs_node_agent {

/// What systemd passes with a start (sd_listen_fds(3)): sockets of socket units, and what the
/// service has given it to keep.
struct PassedDescriptor {
    Descriptor descriptor;
    std::string name;  // FileDescriptorName= of its socket unit, or what it was kept by
};

/// The variables by which it says so; empty: not set.
struct PassedVariables {
    std::string_view pid;    // $LISTEN_PID
    std::string_view count;  // $LISTEN_FDS
    std::string_view names;  // $LISTEN_FDNAMES
};

/// The name of each descriptor from 3 on; "unknown" where there is no list of names. Empty: nothing
/// is passed, or to another process. The error: the variables are not systemd's.
Result<std::vector<std::string>> passed_names(const PassedVariables& variables, pid_t self);

/// Takes what is passed over, to be closed on exec; a second call would take it twice. What is not
/// open is left out.
Result<std::vector<PassedDescriptor>> take_passed_descriptors();

/// A socket on which TCP listens.
struct TcpListener {
    boost::asio::ip::tcp::endpoint at;
    bool takes_both_families = false;  // at [::], connections by IPv4 too
};

/// The error says what it is instead.
Result<TcpListener> inspect_listener(int descriptor);

}  // namespace wcs_node_agent
