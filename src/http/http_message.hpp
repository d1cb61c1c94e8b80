// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/beast/core/buffers_to_string.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/serializer.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/optional.hpp>

namespace wcs_node_agent {

/// A Beast body that is sent from a page that others get too, which it keeps alive, and from a few
/// bytes of its own after it.
struct PageBody {
    struct value_type {
        std::shared_ptr<const std::string> shared;  // null: none
        std::string own;
    };

    static std::uint64_t size(const value_type& body) {
        return (body.shared ? body.shared->size() : 0) + body.own.size();
    }

    using Buffers = std::array<boost::asio::const_buffer, 2>;

    /// Valid as long as the body is.
    static Buffers buffers(const value_type& body) {
        return {body.shared ? boost::asio::buffer(*body.shared) : boost::asio::const_buffer(),
                boost::asio::buffer(body.own)};
    }

    class writer {
     public:
        using const_buffers_type = Buffers;

        template <bool is_request, class Fields>
        writer(const boost::beast::http::header<is_request, Fields>&, const value_type& body)
            : body_(body) {}

        void init(boost::system::error_code& error) { error = {}; }

        boost::optional<std::pair<const_buffers_type, bool>> get(boost::system::error_code& error) {
            error = {};
            return {{buffers(body_), false}};
        }

     private:
        const value_type& body_;
    };
};

using HttpRequest = boost::beast::http::request<boost::beast::http::string_body>;
using HttpResponse = boost::beast::http::response<PageBody>;

/// The status line and the fields, with the empty line after them.
inline std::string header_text(const HttpResponse& response) {
    std::string text;
    boost::beast::http::response_serializer<PageBody> serializer(response);
    serializer.split(true);
    boost::system::error_code never;
    serializer.next(never, [&](auto&, const auto& buffers) {
        text = boost::beast::buffers_to_string(buffers);
    });
    return text;
}

}  // namespace wcs_node_agent
