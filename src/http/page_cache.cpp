// SPDX-License-Identifier: Apache-2.0
#include "http/page_cache.hpp"

#include "http/exposition.hpp"
#include "http/metrics.hpp"
#include "http/status_json.hpp"

#include <string_view>
#include <utility>
#include <vector>

namespace wcs_node_agent {

namespace {

constexpr std::string_view no_age = "0\n";

/// With the age of the sample last, whose value follows when the page is sent.
std::vector<prometheus::MetricFamily> families_of(const Snapshot& snapshot) {
    auto families = metric_families(snapshot);
    families.push_back(sample_age_family(Seconds(0)));
    return families;
}

std::string without_end(std::string text, std::size_t size) {
    text.resize(text.size() - size);
    return text;
}

}  // namespace

template <class Render>
const PageCache::Page& PageCache::fill(Page PageCache::*page, const SnapshotPointer& snapshot,
                                       Render render) {
    if (snapshot != snapshot_) {
        prometheus_ = open_metrics_ = status_ = nullptr;
        snapshot_ = snapshot;
    }
    auto& kept = this->*page;
    if (!kept) kept = std::make_shared<const std::string>(render(*snapshot));
    return kept;
}

PageCache::Page PageCache::prometheus(const SnapshotPointer& snapshot) {
    return fill(&PageCache::prometheus_, snapshot, [](const Snapshot& current) {
        return without_end(to_prometheus_text(families_of(current)), no_age.size());
    });
}

PageCache::Page PageCache::open_metrics(const SnapshotPointer& snapshot) {
    return fill(&PageCache::open_metrics_, snapshot, [](const Snapshot& current) {
        return without_end(to_open_metrics(families_of(current)),
                           no_age.size() + open_metrics_end.size());
    });
}

PageCache::Page PageCache::status(const SnapshotPointer& snapshot) {
    return fill(&PageCache::status_, snapshot, status_json);
}

}  // namespace wcs_node_agent
