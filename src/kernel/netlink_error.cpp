// SPDX-License-Identifier: Apache-2.0
#include "kernel/netlink_error.hpp"

#include <cstdlib>
#include <string>

#include <netlink/errno.h>

namespace wcs_node_agent {

namespace {

class NetlinkCategory : public std::error_category {
 public:
    const char* name() const noexcept override { return "netlink"; }
    std::string message(int error) const override { return nl_geterror(error); }
    std::error_condition default_error_condition(int error) const noexcept override {
        switch (error) {
            case NLE_NODEV:
                return std::errc::no_such_device;
            case NLE_PERM:
                return std::errc::operation_not_permitted;
            case NLE_NOMEM:
                return std::errc::not_enough_memory;
            default:
                return {error, *this};
        }
    }
};

}  // namespace

std::error_code netlink_error(int error) {
    static const NetlinkCategory category;
    return {std::abs(error), category};
}

}  // namespace wcs_node_agent
