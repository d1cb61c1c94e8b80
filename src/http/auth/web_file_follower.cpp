// SPDX-License-Identifier: Apache-2.0
#include "http/auth/web_file_follower.hpp"

#include <chrono>
#include <utility>

#include <spdlog/spdlog.h>

namespace wcs_node_agent {

namespace {

constexpr auto web_file_look_interval = std::chrono::milliseconds(250);
constexpr auto settling = std::chrono::milliseconds(200);

}  // namespace

void WebFileFollower::follow(const WebConfig& web) {
    used_ = looked_ = web.stamp;
    failure_.clear();
}

std::optional<WebConfig> WebFileFollower::changed(const WebConfig& in_use, Clock::time_point now) {
    if (in_use.file.empty() || now < next_look_) return std::nullopt;
    next_look_ = now + web_file_look_interval;
    const auto found = stamp_of(in_use.file);
    const FileStamp stamp = found ? *found : FileStamp{};
    // What it names may be there only later: a fault is looked at again each time.
    const bool failing = !failure_.empty();
    if ((stamp == used_ && !failing) || !is_settled(stamp)) return std::nullopt;
    used_ = stamp;
    auto next = load_web_config(in_use.file, &in_use);
    if (next) return *std::move(next);
    if (auto errors = to_string(next.error()); errors != failure_) {
        failure_ = std::move(errors);
        for (const auto& error : next.error())
            spdlog::error("the web file stays as it was: {}: {}", error.where, error.what);
    }
    return std::nullopt;
}

/// Whoever writes a file in place leaves it empty at first, which would be a web file that asks for
/// no password: what is younger than a moment is read once it is older, or looks the same twice.
bool WebFileFollower::is_settled(const FileStamp& stamp) {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    const bool same = std::exchange(looked_, stamp) == stamp;
    return same || now - std::chrono::nanoseconds(stamp.changed) >= settling;
}

}  // namespace wcs_node_agent
