// SPDX-License-Identifier: Apache-2.0
#include "process/standard_streams.hpp"

#include <fcntl.h>
#include <initializer_list>
#include <unistd.h>

namespace wcs_node_agent {

void open_standard_streams() {
    for (const int stream : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO}) {
        if (::fcntl(stream, F_GETFD) >= 0) continue;
        const int opened =
            ::open("/dev/null", stream == STDIN_FILENO ? O_RDONLY : O_WRONLY);  // the lowest free
        if (opened < 0 || opened == stream) continue;
        ::dup2(opened, stream);
        ::close(opened);
    }
}

}  // namespace wcs_node_agent
