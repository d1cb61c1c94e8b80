// SPDX-License-Identifier: Apache-2.0
#include "process/privileges.hpp"

#include <cerrno>
#include <string>
#include <sys/prctl.h>

#include <cap-ng.h>

namespace wcs_node_agent {
namespace {

Error cannot(const std::string& what, int error) { return failure("cannot " + what, error); }

}  // namespace

Result<void> drop_privileges(KeptPrivilege kept, const std::optional<User>& user) {
    if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) {
        return cannot("set no_new_privs", errno);
    }
    // The bounding set can be lowered only while CAP_SETPCAP is there; without it there is nothing
    // in it that no_new_privs would let exec give.
    const bool can_lower_bounds = has_capability(CAP_SETPCAP);
    capng_clear(CAPNG_SELECT_ALL);
    if (kept == KeptPrivilege::net_admin) {
        // NOLINTNEXTLINE(clang-analyzer-optin.core.EnumCastOutOfRange): the library's own flags
        capng_update(CAPNG_ADD, static_cast<capng_type_t>(CAPNG_EFFECTIVE | CAPNG_PERMITTED),
                     CAP_NET_ADMIN);
    }
    if (can_lower_bounds && capng_apply(CAPNG_SELECT_BOUNDS) != 0) {
        return cannot("lower the capability bounding set", errno);
    }
    if (user) {
        // A change from root to another user would clear the permitted set with what is to be kept.
        if (::prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0) != 0) {
            return cannot("keep capabilities over the change of user", errno);
        }
        if (auto done = become(*user); !done) {
            return done;
        }
    }
    if (capng_apply(CAPNG_SELECT_CAPS) != 0) {
        return cannot("drop capabilities", errno);
    }
    if (capng_apply(CAPNG_SELECT_AMBIENT) != 0) {
        return cannot("drop ambient capabilities", errno);
    }
    return {};
}

bool has_capability(int capability) {
    return capng_get_caps_process() == 0 &&
           capng_have_capability(CAPNG_EFFECTIVE, static_cast<unsigned>(capability)) == 1;
}

}  // namespace wcs_node_agent
