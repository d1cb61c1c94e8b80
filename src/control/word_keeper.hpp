// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <string>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/thread_pool.hpp>

namespace wcs_node_agent {

/// A thread that writes the file of the operator's word, one text after the other: a disk may take
/// its time, and the serving thread has checks to answer. It takes values and returns values.
class WordKeeper {
 public:
    /// Starts the thread. Throws boost::system::system_error if there can be no thread more.
    explicit WordKeeper(std::filesystem::path file) : file_(std::move(file)) {}

    /// Why the file could not be replaced by this text; empty: it is on the disk. Resumes on the
    /// caller's executor, whose context must outlive the keeper.
    boost::asio::awaitable<std::string> keep(std::string text);

    /// Waits for what is to be written yet; then nothing more can be.
    void finish() { thread_.join(); }

 private:
    std::filesystem::path file_;
    boost::asio::thread_pool thread_{1};
};

}  // namespace wcs_node_agent
