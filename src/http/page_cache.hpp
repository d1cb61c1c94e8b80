// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <wcs_node_agent/snapshot.hpp>

#include <memory>
#include <string>

namespace wcs_node_agent {

/// The pages of one snapshot, each rendered when it is first asked for: a node that nobody scrapes
/// renders nothing, and a storm of scrapes renders once a sample. What was handed out stays as long
/// as it is held.
class PageCache {
 public:
    using Page = std::shared_ptr<const std::string>;
    using SnapshotPointer = std::shared_ptr<const Snapshot>;

    // Both end before the value of the sample's age, which is another for each who asks: it follows
    // with a line feed, and in OpenMetrics with the last line.
    Page prometheus(const SnapshotPointer& snapshot);    // text format 0.0.4
    Page open_metrics(const SnapshotPointer& snapshot);  // OpenMetrics 1.0.0
    Page status(const SnapshotPointer& snapshot);        // JSON

 private:
    template <class Render>
    const Page& fill(Page PageCache::*page, const SnapshotPointer& snapshot, Render render);

    SnapshotPointer snapshot_;  // that the pages are of
    Page prometheus_;
    Page open_metrics_;
    Page status_;
};

}  // namespace wcs_node_agent
