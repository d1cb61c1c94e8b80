// SPDX-License-Identifier: Apache-2.0
// The program as users start it: what it prints, how it ends.
#include <csignal>
#include <cstdio>
#include <fcntl.h>
#include <optional>
#include <spawn.h>
#include <string>
#include <sys/wait.h>
#include <unistd.h>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace wcs_node_agent::test {
namespace {

using testing::HasSubstr;
using testing::MatchesRegex;

/// A running wcs-sim with its standard output and error in one pipe.
class Program {
 public:
    explicit Program(std::vector<std::string> arguments) {
        arguments.insert(arguments.begin(), WCS_SIM);
        std::vector<char*> argv;
        for (auto& argument : arguments) {
            argv.push_back(argument.data());
        }
        argv.push_back(nullptr);
        int ends[2];
        EXPECT_EQ(pipe2(ends, O_CLOEXEC), 0);
        posix_spawn_file_actions_t actions;
        posix_spawn_file_actions_init(&actions);
        posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
        posix_spawn_file_actions_adddup2(&actions, ends[1], STDERR_FILENO);
        EXPECT_EQ(posix_spawn(&process_, WCS_SIM, &actions, nullptr, argv.data(), environ), 0);
        posix_spawn_file_actions_destroy(&actions);
        close(ends[1]);
        output_ = fdopen(ends[0], "r");
    }

    Program(const Program&) = delete;
    Program& operator=(const Program&) = delete;

    ~Program() {
        if (!ended_) {
            kill(process_, SIGKILL);
            exit_status();
        }
        std::fclose(output_);
    }

    /// One line without its end; empty at the end of the output.
    std::string line() {
        char text[1024] = "";
        if (std::fgets(text, sizeof text, output_) == nullptr) {
            return {};
        }
        std::string read(text);
        if (read.ends_with('\n')) {
            read.pop_back();
        }
        return read;
    }

    void signal(int number) { kill(process_, number); }

    /// Waits for its end; -1 if a signal ended it.
    int exit_status() {
        int status = 0;
        waitpid(process_, &status, 0);
        ended_ = true;
        return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
    }

 private:
    pid_t process_ = 0;
    std::FILE* output_ = nullptr;
    bool ended_ = false;
};

TEST(WcsSim, PrintsItsAddressesAndEndsOnASignal) {
    for (const int signal : {SIGTERM, SIGINT}) {
        Program program({"--listen", "127.0.0.1:0", "--listen", "127.0.0.1:0", "--control",
                         "127.0.0.1:0", "--media-receive", "127.0.0.1:0", "--set",
                         "streams_hls=4"});
        EXPECT_THAT(program.line(), MatchesRegex("page 127\\.0\\.0\\.1:[1-9][0-9]*"));
        EXPECT_THAT(program.line(), MatchesRegex("page 127\\.0\\.0\\.1:[1-9][0-9]*"));
        EXPECT_THAT(program.line(), MatchesRegex("control 127\\.0\\.0\\.1:[1-9][0-9]*"));
        EXPECT_THAT(program.line(), MatchesRegex("media-receive 127\\.0\\.0\\.1:[1-9][0-9]*"));
        program.signal(signal);
        EXPECT_EQ(program.exit_status(), 0);
    }
}

TEST(WcsSim, WrongUsageIsStatus2WithTheReason) {
    const struct {
        std::vector<std::string> arguments;
        const char* reason;
    } rows[] = {
        {{"--nonsense"}, "--nonsense"},
        {{"--listen", "127.0.0.1"}, "--listen: '127.0.0.1' is not ADDR:PORT"},
        {{"--listen", "127.0.0.1:65536"}, "is not ADDR:PORT"},
        {{"--listen", "::1:80"}, "is not ADDR:PORT"},
        {{"--control", "localhost:80"}, "--control: 'localhost:80' is not ADDR:PORT"},
        {{"--set", "streams_hls"}, "'streams_hls' is not KEY=VALUE"},
        {{"--set", "nonsense=1"}, "nonsense: neither a fault nor on the page"},
        {{"--media-rate", "5"}, "needs --media-send"},
        {{"--global-bandwidth"}, "--global-bandwidth: needs --media-send"},
        {{"--media-size", "0"}, "--media-size"},
    };
    for (const auto& row : rows) {
        SCOPED_TRACE(row.reason);
        Program program(row.arguments);
        EXPECT_THAT(program.line(), HasSubstr(row.reason));
        EXPECT_EQ(program.exit_status(), 2);
    }
}

TEST(WcsSim, PortInUseIsStatus1) {
    Program first({"--listen", "127.0.0.1:0", "--control", "127.0.0.1:0"});
    const auto page = first.line().substr(std::string("page ").size());
    Program second({"--listen", page, "--control", "127.0.0.1:0"});
    EXPECT_THAT(second.line(), HasSubstr("cannot listen on " + page));
    EXPECT_EQ(second.exit_status(), 1);
}

TEST(WcsSim, HelpIsStatus0) {
    Program program({"--help"});
    EXPECT_THAT(program.line(), HasSubstr("WCS statistics page"));
    EXPECT_EQ(program.exit_status(), 0);
}

}  // namespace
}  // namespace wcs_node_agent::test
