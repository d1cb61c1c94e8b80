// SPDX-License-Identifier: Apache-2.0
#include "killed_process.hpp"

#include <array>
#include <csignal>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdexcept>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

namespace wcs_node_agent {

void in_killed_process(const std::function<void()>& body) {
    const pid_t child = ::fork();
    if (child == 0) {
        try {
            body();
        } catch (const std::exception& error) {
            std::fprintf(stderr, "in the process to be killed: %s\n", error.what());
        }
        ::_exit(1);
    }
    int status = 0;
    if (child < 0 || ::waitpid(child, &status, 0) != child || !WIFSIGNALED(status) ||
        WTERMSIG(status) != SIGKILL)
        throw std::runtime_error("the process was not killed");
}

void kill_this_process() {
    ::kill(::getpid(), SIGKILL);
    std::abort();  // not reached
}

void kill_this_process_at_symlink() {
    std::signal(SIGSYS, [](int) { ::kill(::getpid(), SIGKILL); });
    std::array filter{sock_filter BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr)),
#ifdef __NR_symlink  // newer architectures have symlinkat alone
                      sock_filter BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_symlink, 2, 0),
#endif
                      sock_filter BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, __NR_symlinkat, 1, 0),
                      sock_filter BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
                      sock_filter BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRAP)};
    const sock_fprog program{filter.size(), filter.data()};
    if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0 ||
        ::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) != 0)
        throw std::runtime_error("no seccomp filter can be set");
}

}  // namespace wcs_node_agent
