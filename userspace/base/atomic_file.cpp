// SPDX-License-Identifier: GPL-2.0-only
#include "base/atomic_file.hpp"

#include <cerrno>
#include <cstdlib>
#include <system_error>
#include <utility>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include "base/closed_pipe.hpp"
#include "base/safe_text.hpp"

namespace ipcscope {
namespace {

std::string shown(const std::string& path)
{
    return path == "-" ? "standard output" : SafeText::escape(path).str();
}

std::string_view advice(int number)
{
    switch (number) {
    case ENOSPC:
    case EDQUOT: return ": free space, or choose another filesystem";
    case EFBIG: return ": raise the limit (ulimit -f)";
    case ENOENT: return ": make its folder first";
    case EACCES:
    case EPERM:
    case EROFS: return ": choose another folder";
    case EISDIR: return ": name a file in it";
    case ELOOP: return ": name the file that the link is to";
    default: return "";
    }
}

Error error_of(const std::string& path, int number)
{
    if (number == EPIPE) {
        return closed_pipe();
    }
    const Exit code = number == EACCES || number == EPERM ? Exit::permission : Exit::input;
    return {code, fmt::format("cannot write {}: {}{}", shown(path),
                              std::generic_category().message(number), advice(number))};
}

tl::unexpected<Error> failed(const std::string& path, int number)
{
    return tl::unexpected<Error>(error_of(path, number));
}

/// 0: it can be renamed over, or is not there; ENXIO: it is no file; else what is wrong.
int look_at(const std::string& path)
{
    struct stat status {};
    if (::stat(path.c_str(), &status) != 0) {
        return ::lstat(path.c_str(), &status) == 0 ? ELOOP : 0;
    }
    if (S_ISDIR(status.st_mode)) {
        return EISDIR;
    }
    if (!S_ISREG(status.st_mode)) {
        return ENXIO;
    }
    return ::lstat(path.c_str(), &status) == 0 && S_ISLNK(status.st_mode) ? ELOOP : 0;
}

mode_t umask_now()
{
    const mode_t mask = ::umask(0);
    ::umask(mask);
    return mask;
}

}  // namespace

AtomicFile::AtomicFile(std::string path, std::string temporary, Fd fd)
    : path_(std::move(path)), temporary_(std::move(temporary)), fd_(std::move(fd))
{
}

AtomicFile::AtomicFile(AtomicFile&& other) noexcept
    : path_(std::move(other.path_)),
      temporary_(std::exchange(other.temporary_, {})),
      fd_(std::move(other.fd_))
{
}

AtomicFile::~AtomicFile()
{
    if (!temporary_.empty()) {
        ::unlink(temporary_.c_str());
    }
}

Result<AtomicFile> AtomicFile::create(const std::string& path, mode_t mode)
{
    if (path == "-") {
        Fd out{::fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 3)};
        return out ? Result<AtomicFile>(AtomicFile(path, {}, std::move(out)))
                   : failed(path, errno);
    }
    const int found = look_at(path);
    if (found == ENXIO) {
        Fd fd{::open(path.c_str(), O_WRONLY | O_CLOEXEC | O_NOCTTY)};
        return fd ? Result<AtomicFile>(AtomicFile(path, {}, std::move(fd))) : failed(path, errno);
    }
    if (found != 0) {
        return failed(path, found);
    }
    // Hidden, so that what takes all *.prom of a folder does not take it.
    const std::size_t name = path.rfind('/') + 1;   // npos + 1 is 0
    std::string temporary = path.substr(0, name) + "." + path.substr(name) + ".XXXXXX";
    Fd fd{::mkostemp(temporary.data(), O_CLOEXEC)};
    if (!fd) {
        return failed(path, errno);
    }
    AtomicFile file(path, std::move(temporary), std::move(fd));
    if (::fchmod(file.fd_.get(), mode & ~umask_now()) != 0) {
        return failed(path, errno);
    }
    return file;
}

Error AtomicFile::error(int number) const { return error_of(path_, number); }

Result<void> AtomicFile::write(std::string_view bytes)
{
    while (!bytes.empty()) {
        const ssize_t wrote = ::write(fd_.get(), bytes.data(), bytes.size());
        if (wrote < 0 && errno == EINTR) {
            continue;
        }
        if (wrote < 0) {
            return failed(path_, errno);
        }
        bytes.remove_prefix(static_cast<std::size_t>(wrote));
    }
    return {};
}

Result<void> AtomicFile::commit()
{
    // close() may be the first call to report a full disk.
    if (::close(fd_.release()) != 0 ||
        (is_renamed() && ::rename(temporary_.c_str(), path_.c_str()) != 0)) {
        return failed(path_, errno);
    }
    temporary_.clear();
    return {};
}

}  // namespace ipcscope
