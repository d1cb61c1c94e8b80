// SPDX-License-Identifier: Apache-2.0
#include "process/signals.hpp"

#include <csignal>
#include <initializer_list>
#include <pthread.h>
#include <tuple>

namespace wcs_node_agent {

namespace {

sigset_t handled_signals() {
    sigset_t set;
    sigemptyset(&set);
    for (const int signal : {SIGHUP, SIGTERM, SIGINT}) sigaddset(&set, signal);
    return set;
}

}  // namespace

void hold_signals() {
    const auto held = handled_signals();
    ::pthread_sigmask(SIG_BLOCK, &held, nullptr);
    for (const int signal : {SIGPIPE, SIGXFSZ, SIGTTOU, SIGUSR1, SIGUSR2})
        std::ignore = ::signal(signal, SIG_IGN);  // NOLINT(concurrency-mt-unsafe): one thread yet
}

void deliver_signals() {
    const auto held = handled_signals();
    ::pthread_sigmask(SIG_UNBLOCK, &held, nullptr);
}

}  // namespace wcs_node_agent
