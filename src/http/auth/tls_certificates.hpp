// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "config/file_stamp.hpp"
#include "config/web_file.hpp"

#include <wcs_node_agent/clock.hpp>
#include <wcs_node_agent/result.hpp>

#include <array>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/ssl/context.hpp>

namespace wcs_node_agent {

/// A server's TLS context, made again when one of its files changes.
class TlsCertificates {
 public:
    /// Reads the files; the error names every setting that is wrong.
    static Result<std::shared_ptr<TlsCertificates>> load(TlsSettings settings);

    /// For the next handshake. Checks the files at most once a second; while they cannot be used,
    /// as halfway through their renewal, the last ones stay in use, which is logged once.
    boost::asio::ssl::context& current(Clock::time_point now);

    /// The next handshake checks the files, however short ago they were.
    void check_soon() { next_look_ = {}; }

    const TlsSettings& settings() const { return settings_; }

    /// What of the files could not be used when they were read first.
    const std::vector<std::string>& warnings() const { return warnings_; }

 private:
    using Stamps = std::array<FileStamp, 3>;

    explicit TlsCertificates(TlsSettings settings) : settings_(std::move(settings)) {}
    Stamps read_stamps() const;

    TlsSettings settings_;
    Stamps seen_;
    Clock::time_point next_look_;
    bool failing_ = false;
    std::vector<std::string> warnings_;
    std::shared_ptr<boost::asio::ssl::context> context_;
};

}  // namespace wcs_node_agent
