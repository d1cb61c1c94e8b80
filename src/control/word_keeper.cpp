// SPDX-License-Identifier: Apache-2.0
#include "control/word_keeper.hpp"

#include "control/word_file.hpp"

#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace wcs_node_agent {

namespace {

boost::asio::awaitable<std::string> replace(std::filesystem::path file, std::string text) {
    const auto done = write_file(file, text);
    co_return done ? std::string() : file.native() + " " + done.error().what;
}

}  // namespace

boost::asio::awaitable<std::string> WordKeeper::keep(std::string text) {
    return boost::asio::co_spawn(thread_, replace(file_, std::move(text)),
                                 boost::asio::use_awaitable);
}

}  // namespace wcs_node_agent
