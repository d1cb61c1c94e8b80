// SPDX-License-Identifier: Apache-2.0
#include "http/http_routes.hpp"

#include "http/exposition.hpp"
#include "http/history_json.hpp"
#include "http/media_type.hpp"
#include "http/metrics.hpp"
#include "http/page_assets.hpp"

#include <wcs_node_agent/version.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <ctime>
#include <string>
#include <string_view>
#include <system_error>
#include <utility>

#include <boost/beast/core/string.hpp>
#include <boost/beast/http/error.hpp>
#include <boost/beast/http/status.hpp>
#include <boost/beast/http/verb.hpp>
#include <fmt/chrono.h>

namespace wcs_node_agent {

namespace {

namespace http = boost::beast::http;

constexpr std::string_view methods = "GET, HEAD, OPTIONS";
constexpr std::string_view plain_text = "text/plain; charset=utf-8";

/// What the page may do: nothing but what its own files do. Text of others is never markup there.
constexpr std::string_view page_policy =
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The Date of this second. Few answers are the first of theirs.
const std::string& http_date() {
    using std::chrono::system_clock;
    static std::time_t second = -1;
    static std::string text;
    if (const auto now = system_clock::to_time_t(system_clock::now()); now != second) {
        second = now;
        text = fmt::format("{:%a, %d %b %Y %H:%M:%S} GMT", fmt::gmtime(now));
    }
    return text;
}

HttpResponse make_response(http::status status, std::string_view content_type,
                           PageBody::value_type body) {
    HttpResponse response(status, 11);
    response.set(http::field::server, product);
    response.set(http::field::date, http_date());
    response.set(http::field::content_type, content_type);
    response.set(http::field::cache_control, "no-store");
    response.body() = std::move(body);
    response.content_length(PageBody::size(response.body()));
    return response;
}

HttpResponse make_text(http::status status, std::string text) {
    return make_response(status, plain_text, {nullptr, std::move(text)});
}

/// Sets what depends on the request's version and method.
void fit(HttpResponse& response, const HttpRequest& request) {
    response.version(request.version());
    response.keep_alive(request.keep_alive());
    if (request.method() == http::verb::head) response.body() = {};
}

HttpResponse options() {
    HttpResponse response = make_text(http::status::ok, {});
    response.set(http::field::allow, methods);
    return response;
}

HttpResponse no_sample_yet() {
    HttpResponse response =
        make_text(http::status::service_unavailable, "There is no sample yet.\n");
    response.set(http::field::retry_after, "1");
    return response;
}

/// The absolute form is one that every server must take (RFC 9112, 3.2.2).
std::string_view path_of(std::string_view target) {
    for (const std::string_view scheme : {"http://", "https://"}) {
        if (!boost::beast::iequals(target.substr(0, scheme.size()), scheme)) continue;
        target.remove_prefix(scheme.size());
        target.remove_prefix(std::min(target.find_first_of("/?"), target.size()));
        if (!target.starts_with('/')) return "/";
    }
    return target.substr(0, target.find('?'));
}

/// The text of a parameter of the query, which may be empty; none where it is not there.
std::optional<std::string_view> parameter(std::string_view target, std::string_view name) {
    auto query = target.substr(std::min(target.find('?'), target.size()));
    while (!query.empty()) {
        query.remove_prefix(1);
        const auto pair = query.substr(0, query.find('&'));
        if (pair.starts_with(name) && pair.substr(name.size()).starts_with('='))
            return pair.substr(name.size() + 1);
        query.remove_prefix(pair.size());
    }
    return std::nullopt;
}

std::optional<std::int64_t> whole_number(std::string_view text) {
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(text.begin(), text.end(), number);
    return error == std::errc() && end == text.end() ? std::optional(number) : std::nullopt;
}

// Several lines of one name are one list (RFC 9110, 5.3).
std::string list_of(const HttpRequest& request, http::field name) {
    std::string list;
    const auto [begin, end] = request.equal_range(name);
    for (auto field = begin; field != end; ++field) list.append(field->value()).append(",");
    return list;
}

const PageAsset* find_asset(std::string_view path) {
    const auto assets = page_assets();
    const auto found = std::ranges::find(assets, path, &PageAsset::path);
    return found == assets.end() ? nullptr : &*found;
}

/// A browser keeps it, and asks each time whether it is still the same.
HttpResponse respond_with(const PageAsset& asset, const HttpRequest& request) {
    const bool compressed = accepts_gzip(list_of(request, http::field::accept_encoding));
    const auto etag = fmt::format("\"{}{}\"", asset.hash, compressed ? "-gzip" : "");
    const bool is_known =
        list_of(request, http::field::if_none_match).find(etag) != std::string::npos;
    auto response = make_response(http::status::ok, asset.content_type,
                                  {nullptr, std::string(compressed ? asset.gzip : asset.body)});
    if (compressed) response.set(http::field::content_encoding, "gzip");
    if (is_known) {
        response = make_response(http::status::not_modified, asset.content_type, {});
        response.erase(http::field::content_length);
    }
    response.set(http::field::cache_control, "no-cache");
    response.set(http::field::etag, etag);
    response.set(http::field::vary, "Accept-Encoding");
    response.set("Content-Security-Policy", page_policy);
    response.set("X-Content-Type-Options", "nosniff");
    response.set("Referrer-Policy", "no-referrer");
    return response;
}

}  // namespace

HttpRoutes::HttpRoutes(CurrentSnapshot& snapshots, const History& history, AgentCounters& counters)
    : snapshots_(snapshots), history_(history), counters_(counters) {}

HttpResponse HttpRoutes::respond(const HttpRequest& request, Clock::time_point now) const {
    struct Route {
        std::string_view path;
        HttpResponse (HttpRoutes::*page)(const HttpRequest&, Clock::time_point) const;
    };
    static constexpr std::array routes{
        Route{"/metrics", &HttpRoutes::metrics}, Route{"/status", &HttpRoutes::status},
        Route{"/history", &HttpRoutes::history}, Route{"/healthz", &HttpRoutes::healthz}};

    const auto page = [&] {
        // RFC 9112, 3.2: one Host line, no more and no fewer, from HTTP/1.1 on.
        if (request.version() >= 11 && request.count(http::field::host) != 1)
            return make_text(http::status::bad_request, "The request needs one Host line.\n");
        const auto path = path_of(request.target());
        if (request.method() == http::verb::options && path == "*") return options();
        const auto* const route = std::find_if(routes.begin(), routes.end(),
                                               [&](const Route& r) { return r.path == path; });
        const auto* const asset = find_asset(path);
        if (route == routes.end() && !asset)
            return make_text(http::status::not_found, "There is no such page.\n");
        if (request.method() == http::verb::options) return options();
        if (request.method() == http::verb::unknown)
            return make_text(http::status::not_implemented, "There is no such method.\n");
        if (request.method() != http::verb::get && request.method() != http::verb::head) {
            auto refusal =
                make_text(http::status::method_not_allowed, "Only GET and HEAD work here.\n");
            refusal.set(http::field::allow, methods);
            return refusal;
        }
        return asset ? respond_with(*asset, request) : (this->*route->page)(request, now);
    };
    HttpResponse response = page();
    fit(response, request);
    return response;
}

HttpResponse HttpRoutes::metrics(const HttpRequest& request, Clock::time_point now) const {
    const auto snapshot = snapshots_.get();
    if (!snapshot) return no_sample_yet();
    if (request.method() == http::verb::get) ++counters_.scrapes;
    const auto format = prefers_open_metrics(list_of(request, http::field::accept))
                            ? TextFormat::open_metrics
                            : TextFormat::prometheus;
    return make_response(
        http::status::ok, content_type(format),
        {pages_.metrics(snapshot, format), sample_age_text(now - snapshot->at, format)});
}

HttpResponse HttpRoutes::status(const HttpRequest&, Clock::time_point) const {
    const auto snapshot = snapshots_.get();
    if (!snapshot) return no_sample_yet();
    return make_response(http::status::ok, "application/json", {pages_.status(snapshot), {}});
}

HttpResponse HttpRoutes::history(const HttpRequest& request, Clock::time_point) const {
    const auto snapshot = snapshots_.get();
    if (!snapshot) return no_sample_yet();
    auto span = history_.seconds();
    const auto all = span.first;
    if (const auto asked = parameter(request.target(), "since")) {
        const auto since = whole_number(*asked);
        if (!since)
            return make_text(http::status::bad_request, "since= is the number of a second.\n");
        span = newer_than(history_, *since);
    }
    if (span.first == all)
        return make_response(http::status::ok, "application/json",
                             {pages_.history(snapshot, history_), {}});
    return make_response(http::status::ok, "application/json",
                         {nullptr, history_json(history_, span, BothClocks::now())});
}

HttpResponse HttpRoutes::healthz(const HttpRequest&, Clock::time_point now) const {
    const auto snapshot = snapshots_.get();
    if (!snapshot) return no_sample_yet();
    const Clock::duration age = now - snapshot->at;
    if (age < fresh_for_) return make_text(http::status::ok, "ok\n");
    return make_text(http::status::service_unavailable,
                     fmt::format("The last sample is {:.1f} s old.\n", Seconds(age).count()));
}

HttpResponse text_response(const HttpRequest& request, http::status status, std::string text) {
    HttpResponse response = make_text(status, std::move(text));
    fit(response, request);
    return response;
}

bool expects_continue(const HttpRequest& header) {
    return header.version() >= 11 &&
           boost::beast::iequals(header[http::field::expect], "100-continue");
}

std::optional<HttpResponse> refuse(const HttpRequest& header) {
    const auto last = [&header](http::status status, std::string text) {
        HttpResponse response = text_response(header, status, std::move(text));
        response.keep_alive(false);
        return response;
    };
    const bool expects = header.version() >= 11 && header.count(http::field::expect) > 0;
    if (expects && !expects_continue(header))
        return last(http::status::expectation_failed, "Expect: 100-continue is all that works.\n");
    // Where a body ends that a proxy may have read in another way nobody can say.
    const bool is_coded = header.count(http::field::transfer_encoding) > 0;
    const bool is_chunked =
        header.version() >= 11 && header.count(http::field::transfer_encoding) == 1 &&
        boost::beast::iequals(header[http::field::transfer_encoding], "chunked");
    if (is_coded && !is_chunked)
        return last(http::status::not_implemented,
                    "Transfer-Encoding: chunked is all that works.\n");
    return std::nullopt;
}

std::optional<HttpResponse> respond_to_fault(const boost::system::error_code& fault) {
    const auto last = [](http::status status, std::string text) {
        HttpResponse response = make_text(status, std::move(text));
        response.keep_alive(false);
        return response;
    };
    if (fault == http::error::header_limit)
        return last(http::status::request_header_fields_too_large, "The header is too large.\n");
    if (fault == http::error::body_limit)
        return last(http::status::payload_too_large, "The body is too large.\n");
    if (fault == http::error::bad_version)
        return last(http::status::http_version_not_supported, "This server speaks HTTP/1.1.\n");
    if (fault == http::error::end_of_stream || fault == http::error::partial_message) return {};
    if (fault.category() != make_error_code(http::error::bad_method).category()) return {};
    return last(http::status::bad_request, "This is not HTTP/1.1: " + fault.message() + ".\n");
}

}  // namespace wcs_node_agent
