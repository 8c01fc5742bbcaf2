// SPDX-License-Identifier: GPL-2.0-only
#include "bench/mechanisms/io.hpp"

#include <fcntl.h>

namespace ipcscope::bench {

int set_waiting(int fd, WaitMode waiting)
{
    if (waiting == WaitMode::block) {
        return 0;
    }
    const int flags = fcntl(fd, F_GETFL);
    return flags < 0 || fcntl(fd, F_SETFL, flags | O_NONBLOCK) != 0 ? errno : 0;
}

}  // namespace ipcscope::bench
