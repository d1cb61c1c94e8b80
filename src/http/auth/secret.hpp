// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <openssl/crypto.h>
#include <string>
#include <string_view>
#include <vector>

namespace wcs_node_agent {

/// A password: wiped from memory when it is destroyed; a move leaves no copy behind, as that of a
/// short std::string does.
class Secret {
 public:
    /// Wipes the string.
    explicit Secret(std::string& text) : bytes_(text.c_str(), text.c_str() + text.size() + 1) {
        OPENSSL_cleanse(text.data(), text.size());
    }
    Secret(Secret&&) noexcept = default;
    Secret& operator=(Secret&&) = delete;
    ~Secret() { OPENSSL_cleanse(bytes_.data(), bytes_.size()); }

    std::string_view view() const { return {bytes_.data(), bytes_.size() - 1}; }
    const char* c_str() const { return bytes_.data(); }

 private:
    std::vector<char> bytes_;
};

}  // namespace wcs_node_agent
