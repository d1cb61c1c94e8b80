// SPDX-License-Identifier: Apache-2.0
/// Kernel tests need root. Without it they are skipped, unless WNA_REQUIRE_ALL says that they must
/// run.
#include <cstdlib>
#include <string_view>
#include <unistd.h>

#include <gtest/gtest.h>

namespace {

class NeedsRoot : public testing::Environment {
 public:
    void SetUp() override {
        if (::geteuid() == 0) return;
        const char* required = std::getenv("WNA_REQUIRE_ALL");
        if (required && std::string_view(required) == "1") FAIL() << "kernel tests need root";
        GTEST_SKIP() << "kernel tests need root";
    }
};

}  // namespace

int main(int argc, char** argv) {
    testing::InitGoogleTest(&argc, argv);
    testing::AddGlobalTestEnvironment(new NeedsRoot);
    return RUN_ALL_TESTS();
}
