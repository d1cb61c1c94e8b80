// SPDX-License-Identifier: Apache-2.0
#include "config/regular_file.hpp"

#include <wcs_node_agent/descriptor.hpp>

#include <cerrno>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

namespace wcs_node_agent {

namespace {

Error cannot_read(int error) { return failure("cannot be read", error); }

Error too_long(std::size_t most) { return {fmt::format("is longer than {} KiB", most >> 10)}; }

}  // namespace

// What open(2) found is what fstat(2) describes and read(2) reads, whatever the name means by then.
// Without O_NONBLOCK the open alone would wait for a FIFO's writer.
Result<std::string> read_regular_file(const std::filesystem::path& file, std::size_t most) {
    const Descriptor opened(::open(file.c_str(), O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC));
    if (!opened) return cannot_read(errno);
    struct stat status {};
    if (::fstat(opened.get(), &status) != 0) return cannot_read(errno);
    if (S_ISDIR(status.st_mode)) return cannot_read(EISDIR);
    if (!S_ISREG(status.st_mode)) return Error{"is not a regular file"};

    // Files of /proc have a size of 0 whatever they hold.
    std::string text(most + 1, '\0');
    std::size_t size = 0;
    while (size <= most) {
        const auto got = ::read(opened.get(), text.data() + size, text.size() - size);
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return cannot_read(errno);
        if (got == 0) break;
        size += static_cast<std::size_t>(got);
    }
    if (size > most) return too_long(most);
    text.resize(size);
    // Not plain `return text`: an Error can be made of a string too.
    return {boost::system::in_place_value, std::move(text)};
}

}  // namespace wcs_node_agent
