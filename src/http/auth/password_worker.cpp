// SPDX-License-Identifier: Apache-2.0
#include "http/auth/password_worker.hpp"

#include <crypt.h>
#include <cstring>
#include <openssl/crypto.h>
#include <pthread.h>
#include <sys/resource.h>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace wcs_node_agent {

namespace asio = boost::asio;

namespace {

/// Behind the serving thread and what the node is there for.
constexpr int added_niceness = 5;

/// Linux has niceness by thread, and 0 is the calling one. A filter of system calls may refuse it.
void set_up_thread() {
    ::pthread_setname_np(::pthread_self(), "wcs-passwords");
    ::setpriority(PRIO_PROCESS, 0, ::getpriority(PRIO_PROCESS, 0) + added_niceness);
}

bool fits(const Secret& password, const std::string& hash) {
    crypt_data work{};  // 32 KiB, on this thread's stack
    const char* const made = ::crypt_r(password.c_str(), hash.c_str(), &work);
    const bool same = made != nullptr && !hash.empty() && std::strlen(made) == hash.size() &&
                      CRYPTO_memcmp(made, hash.data(), hash.size()) == 0;
    OPENSSL_cleanse(&work, sizeof(work));
    return same;
}

asio::awaitable<bool> compare(Secret password, std::string hash) { co_return fits(password, hash); }

}  // namespace

PasswordWorker::PasswordWorker() { asio::post(thread_, set_up_thread); }

asio::awaitable<bool> PasswordWorker::verify(Secret password, std::string hash) {
    return asio::co_spawn(thread_, compare(std::move(password), std::move(hash)),
                          asio::use_awaitable);
}

}  // namespace wcs_node_agent
