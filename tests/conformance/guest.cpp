// SPDX-License-Identifier: GPL-2.0-only
#include "guest.hpp"

#include <cerrno>
#include <cstdlib>
#include <cstring>

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "process.hpp"

namespace ipcscope::conformance {

std::string mount_tmpfs(const std::string& size)
{
    const std::string directory = scratch();
    EXPECT_EQ(mount("tmpfs", directory.c_str(), "tmpfs", 0,
                    ("size=" + size + ",mode=0777").c_str()), 0) << std::strerror(errno);
    return directory;
}

const std::string& ext4()
{
    static const std::string directory = [] {
        const std::string image = scratch() + "/image";
        const std::string at = scratch();
        const std::string commands =
            "{ modprobe loop; modprobe ext4; truncate -s 24M " + image +
            " && mkfs.ext4 -q -F " + image + " && mount -o loop " + image + ' ' + at +
            "; } 2>&1";
        Process process({"sh", "-c", commands});
        const Finished& done = process.wait();
        EXPECT_EQ(done.status, 0) << done.out;
        return done.status == 0 ? at : std::string();
    }();
    return directory;
}

void thaw(const std::string& directory)
{
    const int fd = open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    EXPECT_EQ(ioctl(fd, FITHAW, 0), 0) << std::strerror(errno);
    close(fd);
}

std::string make_cgroup(const std::string& name)
{
    const std::string path = "/sys/fs/cgroup/" + name;
    EXPECT_EQ(mkdir(path.c_str(), 0755), 0) << path << ": " << std::strerror(errno);
    return path;
}

}  // namespace ipcscope::conformance
