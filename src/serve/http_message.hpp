// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <wcs_node_agent/snapshot.hpp>

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/optional.hpp>

namespace wcs_node_agent {

/// A Beast body that is sent from a snapshot's own bytes, which it keeps alive, and from a few of
/// its own after them.
struct SnapshotBody {
    struct value_type {
        std::shared_ptr<const Snapshot> snapshot;
        std::string_view shared;
        std::string own;
    };

    static std::uint64_t size(const value_type& body) {
        return body.shared.size() + body.own.size();
    }

    class writer {
     public:
        using const_buffers_type = std::array<boost::asio::const_buffer, 2>;

        template <bool is_request, class Fields>
        writer(const boost::beast::http::header<is_request, Fields>&, const value_type& body)
            : body_(body) {}

        void init(boost::system::error_code& error) { error = {}; }

        boost::optional<std::pair<const_buffers_type, bool>> get(boost::system::error_code& error) {
            error = {};
            const const_buffers_type buffers{boost::asio::buffer(body_.shared),
                                             boost::asio::buffer(body_.own)};
            return {{buffers, false}};
        }

     private:
        const value_type& body_;
    };
};

using HttpRequest = boost::beast::http::request<boost::beast::http::string_body>;
using HttpResponse = boost::beast::http::response<SnapshotBody>;

}  // namespace wcs_node_agent
