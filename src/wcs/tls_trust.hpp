// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <wcs_node_agent/result.hpp>

#include <memory>
#include <string>

#include <boost/asio/ssl/context.hpp>

namespace wcs_node_agent {

/// By which certificates the server of an https page is believed to be the one that its URL names.
class TlsTrust {
 public:
    /// None: fit for http alone.
    TlsTrust() = default;

    /// ca_pem: the content of ca_file, one of whose certificates has signed the server's or is it.
    /// An empty ca_file: the system's CAs. Insecure: any certificate will do. The error continues a
    /// sentence that begins with the file's name.
    static Result<TlsTrust> make(std::string ca_file, std::string ca_pem, bool insecure);

    /// For handshakes of a client; only of a trust that was made.
    boost::asio::ssl::context& context() const { return *context_; }

    const std::string& ca_file() const { return ca_file_; }
    bool is_insecure() const { return insecure_; }

    /// Of whom the certificate itself is known, its name says no more.
    void take_any_name() { any_name_ = true; }
    bool takes_any_name() const { return any_name_; }

    friend bool operator==(const TlsTrust& a, const TlsTrust& b) {
        return !a.context_ == !b.context_ && a.ca_file_ == b.ca_file_ && a.ca_pem_ == b.ca_pem_ &&
               a.insecure_ == b.insecure_ && a.any_name_ == b.any_name_;
    }

 private:
    std::string ca_file_;
    std::string ca_pem_;
    bool insecure_ = false;
    bool any_name_ = false;
    std::shared_ptr<boost::asio::ssl::context> context_;
};

}  // namespace wcs_node_agent
