// SPDX-License-Identifier: Apache-2.0
#include "http/http_session.hpp"
#include "unit/http/sample_snapshot.hpp"

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/beast/_experimental/test/stream.hpp>
#include <boost/beast/http/parser.hpp>

using namespace wcs_node_agent;

namespace {

struct Slot {
    void set_idle() {}
    void set_working() {}
};

/// Two minutes of a busy node.
History busy_history() {
    History history;
    Snapshot node = test::busy_node();
    for (int second = 0; second < 120; ++second, node.at += std::chrono::seconds(1))
        history.add(node, node.at);
    return history;
}

/// What the session says to these bytes, of which one read gets at most so many.
std::string answer_to(std::string_view bytes, std::size_t read_size, bool& ended) {
    boost::asio::io_context context;
    CurrentSnapshot snapshots(context.get_executor());
    AgentCounters counters;
    static const History history = busy_history();
    const HttpRoutes routes(snapshots, history, counters);
    snapshots.publish(test::publishable(test::busy_node()));
    boost::beast::test::stream stream(context);
    stream.read_size(read_size);
    auto client = boost::beast::test::connect(stream);
    stream.append({bytes.data(), bytes.size()});
    client.close();
    Slot slot;
    const auto answer = [&](const HttpRequest& request) -> boost::asio::awaitable<HttpResponse> {
        co_return routes.respond(request, Clock::now());
    };
    boost::asio::co_spawn(context, http_session(stream, answer, slot),
                          [&](std::exception_ptr) { ended = true; });
    context.run();
    return std::string(client.str());
}

/// How many answers there are, each a whole one. `100 Continue` is none: it is not sent to a client
/// whose body is there already.
int count(std::string_view answers) {
    int found = 0;
    namespace http = boost::beast::http;
    while (!answers.empty()) {
        http::response_parser<http::string_body> parser;
        parser.eager(true);
        boost::system::error_code error;
        const auto size = parser.put(boost::asio::buffer(answers.data(), answers.size()), error);
        const auto status = parser.get().result_int();
        if (error || !parser.is_done() || size == 0) std::abort();
        if (status != 100 && (status < 200 || status > 599)) std::abort();
        answers.remove_prefix(size);
        found += status == 100 ? 0 : 1;
    }
    return found;
}

}  // namespace

/// The first byte says in how large pieces the others come. Whatever they are, the session ends,
/// says whole answers alone, and the same ones in whichever pieces.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
    bool ended = false;
    const auto pieces = answer_to(bytes, std::size_t{data[0]} % 64 + 1, ended);
    if (!ended) std::abort();
    const auto whole = answer_to(bytes, std::string::npos, ended);
    if (bytes.find("HEAD") != std::string_view::npos) return 0;  // answers without their body
    // Where the bytes are no HTTP, that may be seen before their end comes, or after.
    const auto is_refused = [](const std::string& answers) {
        return answers.find("HTTP/1.1 400") != std::string::npos;
    };
    if (count(pieces) != count(whole) && !is_refused(pieces) && !is_refused(whole)) std::abort();
    return 0;
}
