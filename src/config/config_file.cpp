// SPDX-License-Identifier: Apache-2.0
#include "config/config_file.hpp"

#include "config/regular_file.hpp"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include <fmt/format.h>

namespace wcs_node_agent {
namespace {

/// `LINE:COLUMN` of a byte, both from 1.
std::string line_and_column(std::string_view text, std::size_t byte) {
    const std::string_view before = text.substr(0, byte);
    const std::size_t last_newline = before.rfind('\n');
    return fmt::format("{}:{}", 1 + std::ranges::count(before, '\n'),
                       last_newline == std::string_view::npos ? byte + 1 : byte - last_newline);
}

/// The library's message without its own numbering, `[json.exception...] `, and position.
std::string cause(std::string_view message) {
    const std::size_t position = message.find(", column ");
    const std::size_t start =
        position == std::string_view::npos ? message.find("] ") : message.find(": ", position);
    return std::string(start == std::string_view::npos ? message : message.substr(start + 2));
}

/// JSON leaves open what a repeated key means, and the library keeps the last; this notes each one
/// as the parser passes it.
class RepeatedKeys {
 public:
    void see(Json::parse_event_t event, const Json& parsed) {
        switch (event) {
            case Json::parse_event_t::object_start:
                objects_.push_back({});
                break;
            case Json::parse_event_t::object_end:
                objects_.pop_back();
                break;
            case Json::parse_event_t::key:
                add(parsed.get_ref<const std::string&>());
                break;
            default:
                break;
        }
    }

    ConfigErrors take_errors() { return std::move(errors_); }

 private:
    struct Object {
        std::set<std::string> keys;
        std::string current;
    };

    void add(const std::string& key) {
        Object& object = objects_.back();
        object.current = key;
        if (!object.keys.insert(key).second) {
            std::string pointer;
            for (const Object& outer : objects_) {
                pointer += pointer_step(outer.current);
            }
            errors_.push_back(
                {.where = pointer, .what = "duplicate key", .key = objects_.front().current});
        }
    }

    std::vector<Object> objects_;  // those open, outermost first
    ConfigErrors errors_;
};

}  // namespace

Result<std::string> read_config_file(const std::filesystem::path& file) {
    constexpr std::size_t longest = 64 << 10;
    return read_regular_file(file, longest);
}

ConfigErrors apply_config_text(Config& config, std::string_view text, std::string_view file) {
    Json values;
    RepeatedKeys repeated;
    const auto see = [&repeated](int, Json::parse_event_t event, Json& parsed) {
        repeated.see(event, parsed);
        return true;
    };
    try {
        values = Json::parse(text, see, true, true);
    } catch (const Json::parse_error& error) {
        const std::size_t byte = error.byte == 0 ? 0 : error.byte - 1;
        return {{.where = fmt::format("{}:{}", file, line_and_column(text, byte)),
                 .what = cause(error.what())}};
    } catch (const Json::exception& error) {  // a number that no double can hold
        return {{.where = std::string(file), .what = cause(error.what())}};
    }
    if (!values.is_object()) {
        return {{.where = std::string(file), .what = "must be one JSON object, in braces"}};
    }
    ConfigErrors errors = repeated.take_errors();
    std::ranges::move(apply_settings(config, values), std::back_inserter(errors));
    for (ConfigError& error : errors) {
        error.where = fmt::format("{}: {}", file, error.where);
    }
    return errors;
}

}  // namespace wcs_node_agent
