// SPDX-License-Identifier: Apache-2.0
#include "config/config_file.hpp"
#include "config/settings.hpp"

#include <algorithm>
#include <filesystem>
#include <string>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace wcs_node_agent {
namespace {

using testing::HasSubstr;

const std::filesystem::path source_dir = WNA_SOURCE_DIR;

TEST(DefaultConfigurationFile, NamesEverySettingWithItsDefault) {
    const auto text = read_config_file(source_dir / "packaging/config.json");
    ASSERT_TRUE(text) << text.error().what;
    const Json written = Json::parse(*text, nullptr, false, true);
    for (const Setting& setting : settings()) {
        std::string pointer = "/" + std::string(setting.name);
        std::ranges::replace(pointer, '.', '/');
        EXPECT_TRUE(written.contains(Json::json_pointer(pointer))) << setting.name;
    }
    Config config;
    EXPECT_EQ(to_string(apply_config_text(config, *text, "config.json")), "");
    Config packaged;
    packaged.kernel_pin = true;  // a service's restart goes on with what it counted
    EXPECT_EQ(show_settings(config), show_settings(packaged));
}

TEST(Documentation, NamesEverySetting) {
    const auto reference = read_config_file(source_dir / "docs/configuration.md");
    const auto manual = read_config_file(source_dir / "packaging/man/wcs-node-agent.8");
    ASSERT_TRUE(reference) << reference.error().what;
    ASSERT_TRUE(manual) << manual.error().what;
    for (const Setting& setting : settings()) {
        EXPECT_THAT(*reference, HasSubstr(fmt::format("`{}`", setting.name)));
        if (setting.value.empty()) {
            continue;
        }
        std::string in_roff;  // where - alone is a hyphen
        for (const char c : option_name(setting.name)) {
            in_roff += c == '-' ? "\\-" : std::string(1, c);
        }
        EXPECT_THAT(*manual, HasSubstr(in_roff));
    }
}

}  // namespace
}  // namespace wcs_node_agent
