// SPDX-License-Identifier: Apache-2.0
#include "wcs/fetch_words.hpp"

namespace wcs_node_agent {

FetchWords words_of_wcs() {
    return {.trust = "name its CA's certificate, or itself, in wcs_ca_file, or set wcs_insecure",
            .trusted_by = "wcs_ca_file",
            .other_name = "write a name that it has in wcs_url, or set wcs_insecure",
            .unfit = "give WCS another one, or set wcs_insecure",
            .certificate = "the agent has none to show to WCS",
            .use_tls = "write https:// in place of http://",
            .use_plain = "write http:// in place of https://"};
}

}  // namespace wcs_node_agent
