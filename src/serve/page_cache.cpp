// SPDX-License-Identifier: Apache-2.0
#include "serve/page_cache.hpp"

#include "serve/exposition.hpp"
#include "serve/metrics.hpp"
#include "serve/status_json.hpp"

namespace wcs_node_agent {

template <class Render>
const PageCache::Page& PageCache::fill(Page PageCache::*page, const SnapshotPointer& snapshot,
                                       Render render) {
    if (snapshot != snapshot_) {
        *this = {};
        snapshot_ = snapshot;
    }
    auto& kept = this->*page;
    if (!kept) kept = std::make_shared<const std::string>(render(*snapshot));
    return kept;
}

PageCache::Page PageCache::prometheus(const SnapshotPointer& snapshot) {
    return fill(&PageCache::prometheus_, snapshot, [](const Snapshot& current) {
        return to_prometheus_text(metric_families(current));
    });
}

PageCache::Page PageCache::open_metrics(const SnapshotPointer& snapshot) {
    return fill(&PageCache::open_metrics_, snapshot, [](const Snapshot& current) {
        auto text = to_open_metrics(metric_families(current));
        text.resize(text.size() - open_metrics_end.size());
        return text;
    });
}

PageCache::Page PageCache::status(const SnapshotPointer& snapshot) {
    return fill(&PageCache::status_, snapshot, status_json);
}

}  // namespace wcs_node_agent
