// SPDX-License-Identifier: Apache-2.0
#include "process/log.hpp"

#include "process/log_line.hpp"

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <mutex>
#include <poll.h>
#include <string_view>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>
#include <utility>

#include <fmt/format.h>
#include <spdlog/pattern_formatter.h>
#include <spdlog/sinks/base_sink.h>
#include <spdlog/spdlog.h>

namespace wcs_node_agent {

namespace {

std::atomic<std::uint64_t> lost_in_all = 0;

/// $JOURNAL_STREAM has the device and inode of the stream to the journal (systemd.exec(5)). Who
/// redirects standard error inherits the variable all the same.
bool is_journal() {
    const char* const stream = std::getenv("JOURNAL_STREAM");
    struct stat status {};
    return stream != nullptr && ::fstat(STDERR_FILENO, &status) == 0 &&
           fmt::format("{}:{}", status.st_dev, status.st_ino) == stream;
}

int syslog_priority(spdlog::level::level_enum level) {
    switch (level) {
        case spdlog::level::critical:
            return LOG_CRIT;
        case spdlog::level::err:
            return LOG_ERR;
        case spdlog::level::warn:
            return LOG_WARNING;
        case spdlog::level::info:
            return LOG_INFO;
        default:
            return LOG_DEBUG;
    }
}

class SyslogPriority : public spdlog::custom_flag_formatter {
 public:
    void format(const spdlog::details::log_msg& message, const std::tm&,
                spdlog::memory_buf_t& line) override {
        fmt::format_to(std::back_inserter(line), "<{}>", syslog_priority(message.level));
    }
    std::unique_ptr<custom_flag_formatter> clone() const override {
        return std::make_unique<SyslogPriority>();
    }
};

class UnblockedSink : public spdlog::sinks::base_sink<std::mutex> {
 public:
    explicit UnblockedSink(bool to_journal) : to_journal_(to_journal) {}

 protected:
    void sink_it_(const spdlog::details::log_msg& message) override {
        auto shown = message;
        const auto text = printable_line({message.payload.data(), message.payload.size()});
        shown.payload = text;
        spdlog::memory_buf_t line;
        formatter_->format(shown, line);
        if (lost_ > 0 && write_lost()) lost_ = 0;
        if (lost_ > 0 || !write({line.data(), line.size()})) {
            ++lost_;
            ++lost_in_all;
        }
    }

    void flush_() override {}

 private:
    bool write_lost() {
        return write(fmt::format("{}{}{} lines of the log were lost\n", torn_ ? "\n" : "",
                                 to_journal_ ? fmt::format("<{}>", LOG_WARNING) : "", lost_));
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

    bool to_journal_;
    bool torn_ = false;       // what was written last is the beginning of a line
    std::uint64_t lost_ = 0;  // lines, since the last one that was written
};

}  // namespace

void log_to_standard_error(const std::string& level) {
    const bool to_journal = is_journal();
    auto sink = std::make_shared<UnblockedSink>(to_journal);
    auto logger = std::make_shared<spdlog::logger>("wcs-node-agent", std::move(sink));
    auto formatter = std::make_unique<spdlog::pattern_formatter>();
    formatter->add_flag<SyslogPriority>('*').set_pattern(
        to_journal ? "%*%v" : "%Y-%m-%dT%H:%M:%S.%e%z %l: %v");
    logger->set_formatter(std::move(formatter));
    logger->set_level(spdlog::level::from_str(level));
    spdlog::set_default_logger(std::move(logger));
}

std::uint64_t lost_log_lines() { return lost_in_all; }

void report_errors(std::string_view lines) {
    const auto priority = is_journal() ? fmt::format("<{}>", LOG_ERR) : std::string();
    while (!lines.empty()) {
        const auto line = lines.substr(0, lines.find('\n'));
        lines.remove_prefix(std::min(line.size() + 1, lines.size()));
        std::cerr << priority << printable_line(line) << '\n';
    }
}

}  // namespace wcs_node_agent
