// SPDX-License-Identifier: Apache-2.0
// What taking a page of WCS apart costs: CPU time of one page.
//
// --page FILE (the body, text or JSON), --calls N. Prints JSON: bytes, and microseconds a page.
#include "measure.hpp"
#include "wcs/page.hpp"

#include <fstream>
#include <iostream>
#include <iterator>

#include <nlohmann/json.hpp>

namespace wcs_node_agent::bench {

namespace {

constexpr std::size_t max_entries = 256;  // the default of wcs_max_stats

nlohmann::json run(const Options& options) {
    std::ifstream file(options.text("page"), std::ios::binary);
    const std::string body(std::istreambuf_iterator<char>(file), {});
    const CountNames names;
    std::size_t kept = 0;
    const auto parse = cost_ns(options.number("calls"), [&] {
        const auto page = parse_page(body, Ending::known, max_entries, names);
        if (!page) throw std::runtime_error(page.error().what);
        kept = page->numbers.size() + page->texts.size();
    });
    return {{"bytes", body.size()}, {"kept", kept}, {"parse", static_cast<double>(parse) / 1e3}};
}

}  // namespace

}  // namespace wcs_node_agent::bench

int main(int argc, char** argv) {
    return wcs_node_agent::bench::report(wcs_node_agent::bench::run, {argc, argv});
}
