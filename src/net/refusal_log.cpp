// SPDX-License-Identifier: Apache-2.0
#include "net/refusal_log.hpp"

#include <chrono>

#include <spdlog/spdlog.h>

namespace wcs_node_agent {

namespace {

constexpr auto pause = std::chrono::minutes(1);

}  // namespace

void RefusalLog::report(const boost::asio::ip::address& source, Clock::time_point now) {
    const auto known = reported_.find(source);
    if (known != reported_.end() && now - known->second < pause) return;
    if (known == reported_.end() && reported_.size() >= most_sources) forget_older(now);
    if (known == reported_.end() && reported_.size() >= most_sources) {
        if (more_reported_ != Clock::time_point() && now - more_reported_ < pause) return;
        more_reported_ = now;
        spdlog::warn("{}: still other sources that are not in {} asked", setting_, allowed_by_);
        return;
    }
    reported_[source] = now;
    spdlog::warn("{}: {} asked and is not in {}: closed without an answer", setting_,
                 source.to_string(), allowed_by_);
}

void RefusalLog::forget_older(Clock::time_point now) {
    std::erase_if(reported_, [&](const auto& entry) { return now - entry.second >= pause; });
}

}  // namespace wcs_node_agent
