// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

namespace wcs_node_agent {

/// What an operator can do about a fetch that failed, in the names of the settings or options of
/// whoever asks. Each is the end of a sentence.
struct FetchWords {
    std::string trust;        // nobody known has signed the certificate
    std::string trusted_by;   // where the file of certificates was named
    std::string other_name;   // the certificate is of another name
    std::string unfit;        // it is not fit for a server
    std::string certificate;  // the server wants one of the client
    std::string use_tls;      // plain HTTP was spoken to TLS
    std::string use_plain;    // the reverse
};

/// In the settings of the poller.
FetchWords words_of_wcs();

}  // namespace wcs_node_agent
