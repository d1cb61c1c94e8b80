// SPDX-License-Identifier: Apache-2.0
#include "cli/doctor_report.hpp"

#include <fmt/ostream.h>

namespace wcs_node_agent {

void DoctorReport::section(std::string_view name) { fmt::print(out_, "{}\n", name); }

void DoctorReport::ok(std::string_view name, std::string_view found) { print("ok", name, found); }

void DoctorReport::note(std::string_view name, std::string_view found) {
    print("note", name, found);
}

void DoctorReport::missing(std::string_view name, std::string_view found, std::string_view remedy) {
    ++missing_;
    print("missing", name, found);
    if (!remedy.empty()) print("", "", fmt::format("to fix it: {}", remedy));
}

void DoctorReport::end(std::string_view source) {
    if (source.empty())
        fmt::print(out_, "The agent would not start with this source.\n");
    else
        fmt::print(out_, "The agent would use: {}\n", source);
    if (missing_ > 0) fmt::print(out_, "Missing: {}\n", missing_);
}

void DoctorReport::print(std::string_view word, std::string_view name, std::string_view found) {
    fmt::print(out_, "  {:<8} {:<31} {}\n", word, name, found);
}

}  // namespace wcs_node_agent
