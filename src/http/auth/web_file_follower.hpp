// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "http/auth/web_config.hpp"

#include <wcs_node_agent/clock.hpp>

#include <optional>
#include <string>

namespace wcs_node_agent {

/// Notices that the web file was changed, so that a password that was taken out of it is refused
/// within a second.
class WebFileFollower {
 public:
    /// What is in use from now on.
    void follow(const WebConfig& web);

    /// What to use in its place, if the file has changed since. Checks that at most every 250 ms. A
    /// file that is wrong or cannot be read changes nothing, which is logged once.
    std::optional<WebConfig> changed(const WebConfig& in_use, Clock::time_point now);

 private:
    bool is_settled(const FileStamp& stamp);

    Clock::time_point next_look_;
    FileStamp used_;       // what was read, or tried to be, last
    FileStamp looked_;     // what was there at the last look
    std::string failure_;  // why the file as it is now cannot be used
};

}  // namespace wcs_node_agent
