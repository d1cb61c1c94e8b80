// SPDX-License-Identifier: Apache-2.0
#include "http/page_cache.hpp"

#include "http/history_json.hpp"
#include "http/metrics.hpp"
#include "http/status_json.hpp"

#include <cstddef>
#include <utility>

namespace wcs_node_agent {

namespace {

PageCache::Page shared(std::string page) {
    return std::make_shared<const std::string>(std::move(page));
}

}  // namespace

PageCache::Pages& PageCache::pages_of(const SnapshotPointer& snapshot) {
    if (snapshot != pages_.snapshot) pages_ = {snapshot, {}, nullptr, nullptr};
    return pages_;
}

PageCache::Page PageCache::metrics(const SnapshotPointer& snapshot, TextFormat format) {
    Page& page = pages_of(snapshot).metrics[static_cast<std::size_t>(format)];
    if (!page) page = shared(metrics_text(*snapshot, format));
    return page;
}

PageCache::Page PageCache::status(const SnapshotPointer& snapshot) {
    Page& page = pages_of(snapshot).status;
    if (!page) page = shared(status_json(*snapshot));
    return page;
}

PageCache::Page PageCache::history(const SnapshotPointer& snapshot, const History& history) {
    Page& page = pages_of(snapshot).history;
    if (!page) page = shared(history_json(history, history.seconds(), BothClocks::now()));
    return page;
}

}  // namespace wcs_node_agent
