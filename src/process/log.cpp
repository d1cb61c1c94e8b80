// SPDX-License-Identifier: Apache-2.0
#include "process/log.hpp"

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <poll.h>
#include <string_view>
#include <unistd.h>
#include <utility>

#include <fmt/format.h>
#include <spdlog/details/null_mutex.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/spdlog.h>

namespace wcs_node_agent {

namespace {

class UnblockedSink : public spdlog::sinks::base_sink<spdlog::details::null_mutex> {
 protected:
    void sink_it_(const spdlog::details::log_msg& message) override {
        spdlog::memory_buf_t line;
        formatter_->format(message, line);
        if (lost_ > 0 && write_lost()) lost_ = 0;
        if (lost_ > 0 || !write({line.data(), line.size()})) ++lost_;
    }

    void flush_() override {}

 private:
    bool write_lost() {
        return write(fmt::format("{}{} lines of the log were lost\n", torn_ ? "\n" : "", lost_));
    }

    /// A pipe is writable while it has room for PIPE_BUF bytes, 4096, and takes as many without
    /// blocking; a longer line could block in its midst. A disk may take a part of it.
    bool write(std::string_view line) {
        constexpr std::size_t most = 4096;
        pollfd standard_error{.fd = STDERR_FILENO, .events = POLLOUT, .revents = 0};
        if (::poll(&standard_error, 1, 0) != 1) return false;
        std::string cut(line.substr(0, most));
        if (line.size() > most) cut.back() = '\n';
        const auto written = ::write(STDERR_FILENO, cut.data(), cut.size());
        const bool whole = written == static_cast<ssize_t>(cut.size());
        if (written > 0) torn_ = !whole;
        return whole;
    }

    bool torn_ = false;       // what was written last is the beginning of a line
    std::uint64_t lost_ = 0;  // lines
};

}  // namespace

void log_to_standard_error(const std::string& level) {
    auto logger =
        std::make_shared<spdlog::logger>("wcs-node-agent", std::make_shared<UnblockedSink>());
    // Under systemd the journal puts the time to each line.
    logger->set_pattern(std::getenv("JOURNAL_STREAM") ? "%l: %v" : "%Y-%m-%dT%H:%M:%S.%e%z %l: %v");
    logger->set_level(spdlog::level::from_str(level));
    spdlog::set_default_logger(std::move(logger));
}

}  // namespace wcs_node_agent
