// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <ostream>
#include <string_view>

namespace wcs_node_agent {

/// What doctor found, a line each: ok, missing or note. It fails if anything is missing.
class DoctorReport {
 public:
    explicit DoctorReport(std::ostream& out) : out_(out) {}

    void section(std::string_view name);
    void ok(std::string_view name, std::string_view found);
    void note(std::string_view name, std::string_view found);
    /// remedy: what to do; empty: `found` says so.
    void missing(std::string_view name, std::string_view found, std::string_view remedy = {});

    bool lacks_something() const { return missing_ > 0; }

    /// How many are missing, and what would be used.
    void end(std::string_view source);

 private:
    void print(std::string_view word, std::string_view name, std::string_view found);

    std::ostream& out_;
    int missing_ = 0;
};

}  // namespace wcs_node_agent
