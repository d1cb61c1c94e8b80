// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "http/exposition.hpp"
#include "load/history.hpp"

#include <wcs_node_agent/snapshot.hpp>

#include <array>
#include <memory>
#include <string>

namespace wcs_node_agent {

/// The pages of one snapshot, each rendered when it is first asked for: a node that nobody scrapes
/// renders nothing, and a storm of scrapes renders once a sample. A page stays as long as somebody
/// holds it.
class PageCache {
 public:
    using Page = std::shared_ptr<const std::string>;
    using SnapshotPointer = std::shared_ptr<const Snapshot>;

    /// Without its last family, the sample's age, which differs from scrape to scrape.
    Page metrics(const SnapshotPointer& snapshot, TextFormat format);
    Page status(const SnapshotPointer& snapshot);  // JSON

    /// JSON, all of the history up to this snapshot.
    Page history(const SnapshotPointer& snapshot, const History& history);

 private:
    /// The pages, all of this snapshot.
    struct Pages {
        SnapshotPointer snapshot;
        std::array<Page, 2> metrics;  // by TextFormat
        Page status;
        Page history;
    };
    Pages& pages_of(const SnapshotPointer& snapshot);

    Pages pages_;
};

}  // namespace wcs_node_agent
