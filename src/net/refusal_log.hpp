// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <wcs_node_agent/clock.hpp>

#include <cstddef>
#include <map>
#include <string>
#include <utility>

#include <boost/asio/ip/address.hpp>

namespace wcs_node_agent {

/// Who is refused, in the log: at most one line a minute for a source, and of so many sources no
/// more than `most_sources` a minute, whoever scans.
class RefusalLog {
 public:
    static constexpr std::size_t most_sources = 16;

    /// `setting` has the endpoint that was asked, `allowed_by` the list that lacks the source.
    RefusalLog(std::string setting, std::string allowed_by)
        : setting_(std::move(setting)), allowed_by_(std::move(allowed_by)) {}

    void report(const boost::asio::ip::address& source, Clock::time_point now);

 private:
    void forget_older(Clock::time_point now);

    std::string setting_;
    std::string allowed_by_;
    std::map<boost::asio::ip::address, Clock::time_point> reported_;  // by source, when
    Clock::time_point more_reported_{};                               // that there are others
};

}  // namespace wcs_node_agent
