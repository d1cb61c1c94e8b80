// SPDX-License-Identifier: Apache-2.0
#include "http/auth/password_process.hpp"

#include <array>
#include <cerrno>
#include <crypt.h>
#include <csignal>
#include <cstring>
#include <openssl/crypto.h>
#include <string>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <system_error>
#include <unistd.h>
#include <utility>

#include <cap-ng.h>

namespace wcs_node_agent {

namespace {

/// Both texts come out of a request's header, of at most 8 KiB, and a hash of 60 bytes.
constexpr std::size_t longest_question = 16 << 10;

/// Behind the agent and what the node is there for.
constexpr int child_niceness = 5;

bool is_right(const char* password, const char* hash) {
    static crypt_data work;  // 32 KiB
    const char* const made = ::crypt_r(password, hash, &work);
    const std::size_t size = std::strlen(hash);
    return made != nullptr && std::strlen(made) == size && CRYPTO_memcmp(made, hash, size) == 0;
}

[[noreturn]] void answer_questions(int socket) {
    static std::array<char, longest_question + 1> question;
    for (;;) {
        const auto size = ::recv(socket, question.data(), longest_question, 0);
        if (size <= 0) ::_exit(0);  // the parent has closed its end
        question[static_cast<std::size_t>(size)] = '\0';
        const char* const hash = question.data();
        const char right = is_right(hash + std::strlen(hash) + 1, hash) ? 1 : 0;
        ::explicit_bzero(question.data(), question.size());
        if (::send(socket, &right, 1, MSG_NOSIGNAL) != 1) ::_exit(0);
    }
}

[[noreturn]] void be_the_child(int socket, pid_t parent) {
    // Signals to the whole group or service are the parent's to obey; with it ends this process.
    for (const int signal : {SIGHUP, SIGINT, SIGTERM, SIGPIPE})
        static_cast<void>(::signal(signal, SIG_IGN));
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (::getppid() != parent) ::_exit(0);
    ::prctl(PR_SET_NAME, "wcs-passwords");
    if (::dup2(socket, 0) != 0) ::_exit(1);
    ::closefrom(1);
    capng_clear(CAPNG_SELECT_CAPS);
    if (capng_apply(CAPNG_SELECT_CAPS) != 0) ::_exit(1);
    ::setpriority(PRIO_PROCESS, 0, child_niceness);
    answer_questions(0);
}

Error cannot_start() {
    return Error{"cannot start the process that checks passwords: " +
                 std::generic_category().message(errno)};
}

}  // namespace

Result<PasswordProcess> PasswordProcess::start() {
    std::array<int, 2> ends{};
    // Packets keep their bounds, and a closed end is told.
    if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0)
        return cannot_start();
    Descriptor ours(ends[0]);
    const Descriptor childs(ends[1]);
    const pid_t parent = ::getpid();
    const pid_t pid = ::fork();
    if (pid < 0) return cannot_start();
    if (pid == 0) be_the_child(childs.get(), parent);
    return PasswordProcess(pid, std::move(ours));
}

PasswordProcess::PasswordProcess(PasswordProcess&& other) noexcept
    : pid_(std::exchange(other.pid_, 0)), socket_(std::move(other.socket_)) {}

PasswordProcess::~PasswordProcess() {
    if (pid_ == 0) return;
    kill();
    while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
    }
}

void PasswordProcess::kill() { ::kill(pid_, SIGKILL); }

bool PasswordProcess::ask(std::string_view password, std::string_view hash) {
    std::string question(hash);
    question.append(1, '\0').append(password);
    const auto sent =
        ::send(socket_.get(), question.data(), question.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    ::explicit_bzero(question.data(), question.size());
    return sent == static_cast<ssize_t>(question.size());
}

PasswordProcess::Answer PasswordProcess::answer() {
    char right = 0;
    const auto size = ::recv(socket_.get(), &right, 1, MSG_DONTWAIT);
    if (size == 1) return right == 1 ? Answer::right : Answer::wrong;
    return size < 0 && errno == EAGAIN ? Answer::not_yet : Answer::ended;
}

}  // namespace wcs_node_agent
