// SPDX-License-Identifier: Apache-2.0
#include "http/client_hello.hpp"

#include <vector>

#include <gtest/gtest.h>

namespace wcs_node_agent::test {

using enum FirstRecord;

TEST(FirstRecordTest, IsWholeAHandshakeOrNone) {
    struct Row {
        const char* shows;
        std::vector<unsigned char> begin;
        std::size_t size;  // zeros follow up to it
        FirstRecord is;
    };
    const std::vector<Row> rows{
        {"nothing yet", {}, 0, unfinished},
        {"the type alone", {22}, 1, unfinished},
        {"a header alone", {22, 3, 1, 0, 200}, 5, unfinished},
        {"all but a byte", {22, 3, 1, 0, 200, 1}, 204, unfinished},
        {"OpenSSL's", {22, 3, 1, 0, 200, 1}, 205, whole},
        {"the second segment of a large one", {22, 3, 1, 7, 8, 1}, 1805, whole},
        {"the first of several records", {22, 3, 1, 0, 1, 1}, 6, whole},
        {"more than the record", {22, 3, 3, 0, 200, 1}, 300, whole},
        {"the longest", {22, 3, 1, 0x40, 0, 1}, longest_first_record, whole},
        {"longer than a record may be", {22, 3, 1, 0x40, 1, 1}, 100, not_tls},
        {"an empty record", {22, 3, 1, 0, 0}, 5, not_tls},
        {"another version", {22, 2}, 2, not_tls},
        {"a ServerHello", {22, 3, 3, 0, 200, 2}, 6, not_tls},
        {"an alert", {21, 3, 1, 0, 2}, 7, not_tls},
        {"HTTP", {'G', 'E', 'T', ' '}, 4, not_tls},
    };
    for (const Row& row : rows) {
        auto bytes = row.begin;
        bytes.resize(row.size);
        EXPECT_EQ(first_record(bytes), row.is) << row.shows;
    }
}

}  // namespace wcs_node_agent::test
