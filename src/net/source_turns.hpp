// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <algorithm>
#include <cstddef>
#include <deque>
#include <iterator>
#include <list>
#include <map>
#include <optional>
#include <utility>

#include <boost/asio/ip/address.hpp>

namespace wcs_node_agent {

/// What waits, one item of each source in turn: a source that has many waits for itself. Sources
/// are as source_of() makes them.
template <class Item>
class SourceTurns {
 public:
    /// Behind the source's other items; a source that has none yet comes after all others.
    void push(const boost::asio::ip::address& source, Item item) {
        const auto known = sources_.find(source);
        if (known != sources_.end()) {
            known->second->items.push_back(std::move(item));
        } else {
            std::list<Source> last{{source, {}}};  // what can fail comes before anything changes
            last.front().items.push_back(std::move(item));
            sources_.emplace(source, last.begin());
            order_.splice(order_.end(), last);
        }
        ++size_;
    }

    /// The next one, which waits no longer; none: nothing waits.
    std::optional<Item> pop() {
        if (order_.empty()) return std::nullopt;
        const auto next = order_.begin();
        std::optional<Item> item(std::move(next->items.front()));
        next->items.pop_front();
        order_.splice(order_.end(), order_, next);
        leave(next);
        return item;
    }

    /// It does not wait any more, if it did.
    void remove(const boost::asio::ip::address& source, const Item& item) {
        const auto known = sources_.find(source);
        if (known == sources_.end()) return;
        auto& items = known->second->items;
        const auto found = std::ranges::find(items, item);
        if (found == items.end()) return;
        items.erase(found);
        leave(known->second);
    }

    /// The last item of the source that has most, which waits no longer, if that is more than so
    /// many.
    std::optional<Item> pop_last_of_most(std::size_t more_than) {
        const auto most = std::ranges::max_element(
            order_, {}, [](const Source& source) { return source.items.size(); });
        if (most == order_.end() || most->items.size() <= more_than) return std::nullopt;
        std::optional<Item> item(std::move(most->items.back()));
        most->items.pop_back();
        leave(most);
        return item;
    }

    std::size_t size() const { return size_; }
    std::size_t size_of(const boost::asio::ip::address& source) const {
        const auto known = sources_.find(source);
        return known == sources_.end() ? 0 : known->second->items.size();
    }
    std::size_t sources() const { return sources_.size(); }

 private:
    struct Source {
        boost::asio::ip::address address;
        std::deque<Item> items;
    };
    using Order = std::list<Source>;  // whose turn is next first

    void leave(typename Order::iterator source) {
        --size_;
        if (!source->items.empty()) return;
        sources_.erase(source->address);
        order_.erase(source);
    }

    Order order_;
    std::map<boost::asio::ip::address, typename Order::iterator> sources_;
    std::size_t size_ = 0;
};

}  // namespace wcs_node_agent
