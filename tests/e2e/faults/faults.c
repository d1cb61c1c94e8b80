// SPDX-License-Identifier: Apache-2.0
// Preloaded into the agent by tests: what the system does wrong on demand. The file that WNA_FAULTS
// names is mapped, and a test writes into it while the agent runs.
#define _GNU_SOURCE  // NOLINT: what the C library calls it
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

struct faults {
    int64_t wall_clock_offset;    // seconds
    int64_t proc_stat_error;      // errno of reading /proc/stat, 0: none
    int64_t no_memory_in_sample;  // 1: the allocation after asking which CPUs are online fails
    uint64_t least_allocation;    // bytes; allocations of this size and above fail, 0: none
    uint64_t failed;              // how often one did; written here
    int64_t netlink_delay;        // ms that each request waits, as for the lock of all interfaces,
                                  // or until this is less
};

extern void* __libc_malloc(size_t size);  // NOLINT: likewise

static struct faults none;
static volatile struct faults* faults = &none;

__attribute__((constructor)) static void map_faults(void) {
    const char* path = getenv("WNA_FAULTS");
    int file = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
    if (file < 0) return;
    void* mapped = mmap(NULL, sizeof(none), PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
    if (mapped != MAP_FAILED) faults = mapped;
    close(file);
}

int clock_gettime(clockid_t clock, struct timespec* now) {
    const long result = syscall(SYS_clock_gettime, clock, now);
    if (result == 0 && clock == CLOCK_REALTIME) now->tv_sec += faults->wall_clock_offset;
    return (int)result;
}

time_t time(time_t* into) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (into) *into = now.tv_sec;
    return now.tv_sec;
}

int gettimeofday(struct timeval* restrict into, void* restrict zone) {
    (void)zone;
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    into->tv_sec = now.tv_sec;
    into->tv_usec = now.tv_nsec / 1000;
    return 0;
}

static int is_file(int file, const char* path) {
    char link[32], target[64] = "";
    snprintf(link, sizeof(link), "/proc/self/fd/%d", file);
    const ssize_t length = readlink(link, target, sizeof(target) - 1);
    return length > 0 && strcmp(target, path) == 0;
}

/// libnl's way out.
static void delay_netlink(int file) {
    int domain = 0;
    socklen_t size = sizeof(domain);
    if (faults->netlink_delay && getsockopt(file, SOL_SOCKET, SO_DOMAIN, &domain, &size) == 0 &&
        domain == AF_NETLINK)
        for (int64_t waited = 0; waited < faults->netlink_delay; ++waited) usleep(1000);
}

ssize_t sendmsg(int file, const struct msghdr* message, int flags) {
    delay_netlink(file);
    return syscall(SYS_sendmsg, file, message, flags);
}

ssize_t send(int file, const void* message, size_t size, int flags) {
    delay_netlink(file);
    return syscall(SYS_sendto, file, message, size, flags, NULL, 0);
}

static _Thread_local int next_allocation_fails;

ssize_t pread64(int file, void* into, size_t size, off_t offset) {
    if (faults->no_memory_in_sample && is_file(file, "/sys/devices/system/cpu/online"))
        next_allocation_fails = 1;
    if (faults->proc_stat_error && is_file(file, "/proc/stat")) {
        errno = (int)faults->proc_stat_error;
        return -1;
    }
    return syscall(SYS_pread64, file, into, size, offset);
}

ssize_t pread(int file, void* into, size_t size, off_t offset) {
    return pread64(file, into, size, offset);
}

void* malloc(size_t size) {
    if (next_allocation_fails || (faults->least_allocation && size >= faults->least_allocation)) {
        next_allocation_fails = 0;
        faults->failed++;
        errno = ENOMEM;
        return NULL;
    }
    return __libc_malloc(size);
}
