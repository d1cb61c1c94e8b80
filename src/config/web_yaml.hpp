// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "config/config_error.hpp"

#include <filesystem>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>
#include <yaml-cpp/yaml.h>

#include <fmt/format.h>

namespace wcs_node_agent {

/// A value with its JSON pointer within the file.
struct YamlValue {
    YAML::Node node;
    std::string pointer;
};

struct YamlEntry {
    YamlValue key;
    YamlValue value;

    std::string name() const { return key.node.IsNull() ? "" : key.node.Scalar(); }
};

/// A YAML file that is read as Go's yaml.v2 would, and what is wrong with it.
class WebYaml {
 public:
    explicit WebYaml(const std::filesystem::path& file) : file_(file) {}

    void add_error(const YamlValue& at, std::string what) {
        errors_.push_back({.where = place_of(at), .what = std::move(what)});
    }

    void add_warning(const YamlValue& at, std::string_view what) {
        warnings_.push_back(fmt::format("{}: {}", place_of(at), what));
    }

    ConfigErrors take_errors() { return std::move(errors_); }
    std::vector<std::string> take_warnings() { return std::move(warnings_); }

    /// The entries of a mapping; nothing at all is an empty one. Those of a merge key stand where
    /// it does, and a later entry of a name replaces an earlier one, as Go's yaml.v2 has it.
    std::vector<YamlEntry> entries(const YamlValue& mapping) {
        std::vector<YamlEntry> entries;
        if (!mapping.node || mapping.node.IsNull()) return entries;
        if (mapping.node.IsMap())
            collect(mapping, entries);
        else
            add_error(mapping, "must be a mapping of keys to values");
        return entries;
    }

    /// Null says nothing.
    std::string read_string(const YamlValue& value) {
        if (value.node.IsNull()) return {};
        if (value.node.IsScalar()) return value.node.Scalar();
        add_error(value, "must be a string");
        return {};
    }

    /// Relative paths start at the file's folder.
    std::filesystem::path read_path(const YamlValue& value) {
        const auto text = read_string(value);
        return text.empty() ? std::filesystem::path() : file_.parent_path() / text;
    }

    /// Words of YAML 1.1, not quoted: `yes` is true, and `"yes"` a string.
    bool read_switch(const YamlValue& value, bool otherwise) {
        if (value.node.IsNull()) return otherwise;
        const auto& tag = value.node.Tag();
        const bool is_plain = tag.empty() || tag == "?" || tag == "tag:yaml.org,2002:bool";
        bool read = otherwise;
        if (!is_plain || !YAML::convert<bool>::decode(value.node, read))
            add_error(value, "must be true or false");
        return read;
    }

 private:
    static constexpr int most_merges = 100;  // mappings may be merged into themselves

    std::string place_of(const YamlValue& at) const {
        const YAML::Mark mark = at.node.Mark();
        std::string where = file_.string();
        if (!mark.is_null()) where += fmt::format(":{}:{}", mark.line + 1, mark.column + 1);
        if (!at.pointer.empty()) where += ": " + at.pointer;
        return where;
    }

    void collect(const YamlValue& mapping, std::vector<YamlEntry>& entries) {
        std::set<std::string> seen;
        for (const auto& pair : mapping.node) {
            const auto& key = pair.first;
            if (!key.IsScalar() && !key.IsNull()) {
                add_error({key, mapping.pointer}, "a key must be a string");
                continue;
            }
            if (key.IsScalar() && key.Scalar() == "<<" && key.Tag() != "!") {
                merge({pair.second, mapping.pointer}, entries);
                continue;
            }
            YamlEntry entry{.key = {key, ""}, .value = {pair.second, ""}};
            entry.key.pointer = entry.value.pointer = mapping.pointer + pointer_step(entry.name());
            if (seen.insert(entry.name()).second)
                entries.push_back(std::move(entry));
            else
                add_error(entry.key, "duplicate key");
        }
    }

    /// Of a list the first one wins.
    void merge(const YamlValue& merged, std::vector<YamlEntry>& entries) {
        if (++merges_ > most_merges) {
            if (merges_ == most_merges + 1) add_error(merged, "too many merge keys");
        } else if (merged.node.IsMap()) {
            collect(merged, entries);
        } else if (merged.node.IsSequence()) {
            for (auto i = merged.node.size(); i-- > 0;) {
                const YamlValue one{merged.node[i], merged.pointer};
                if (one.node.IsMap())
                    merge(one, entries);
                else
                    add_error(one, "a merge key takes a mapping or a list of mappings");
            }
        } else {
            add_error(merged, "a merge key takes a mapping or a list of mappings");
        }
    }

    const std::filesystem::path& file_;
    ConfigErrors errors_;
    std::vector<std::string> warnings_;
    int merges_ = 0;
};

}  // namespace wcs_node_agent
