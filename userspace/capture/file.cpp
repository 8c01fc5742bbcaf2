// SPDX-License-Identifier: GPL-2.0-only
#include "capture/file.hpp"

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <iterator>
#include <system_error>

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include "base/safe_text.hpp"
#include "capture/capture.hpp"
#include "capture/format.hpp"

namespace ipcscope::capture {
namespace {

Exit exit_of(int error)
{
    return error == EACCES || error == EPERM ? Exit::permission : Exit::input;
}

tl::unexpected<Error> cannot_create(const std::string& path, int error)
{
    std::string_view advice = "choose another name or folder with -o";
    if (error == ELOOP) advice = "it is a symbolic link: name the file itself with -o";
    if (error == ENOENT) advice = "make its folder first";
    return fail(exit_of(error), fmt::format("cannot create {}: {}: {}", shown_output(path),
                                            describe_errno(error), advice));
}

/// Our own copy of a standard stream, so that every Fd may be closed.
Result<Fd> standard_stream(int stream, std::string_view advice)
{
    const std::string_view name = stream == STDIN_FILENO ? "standard input" : "standard output";
    if (::isatty(stream) == 1)
        return fail(Exit::input, fmt::format("{} is a terminal: {}", name, advice));
    Fd fd{::fcntl(stream, F_DUPFD_CLOEXEC, 3)};
    if (!fd)
        return fail(Exit::input, fmt::format("{} cannot be used: {}: {}", name,
                                             describe_errno(errno), advice));
    return fd;
}

bool begins_as_capture(const std::string& path, int flags)
{
    std::array<unsigned char, kMagic.size()> magic{};
    const Fd fd{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | flags)};
    return fd && ::read(fd.get(), magic.data(), magic.size()) == std::ssize(magic) &&
           magic == kMagic;
}

}  // namespace

bool is_capture(const std::string& path)
{
    struct stat file{};
    return ::stat(path.c_str(), &file) == 0 && S_ISREG(file.st_mode) && begins_as_capture(path, 0);
}

std::string shown_input(const std::string& path)
{
    return path == "-" ? "standard input" : SafeText::escape(path).str();
}

std::string shown_output(const std::string& path)
{
    return path == "-" ? "standard output" : SafeText::escape(path).str();
}

std::string describe_errno(int error) { return std::generic_category().message(error); }

Result<Fd> open_input(const std::string& path)
{
    if (path == "-") return standard_stream(STDIN_FILENO, "give a file or a pipe");
    Fd fd{::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY)};
    if (!fd) {
        const int error = errno;
        const std::string_view advice =
            error == ENOENT ? "check the name, or make one with `ipcscope record -o`"
            : exit_of(error) == Exit::permission ? "read it as its owner"
                                                 : "check the name";
        return fail(exit_of(error), fmt::format("cannot open {}: {}: {}", shown_input(path),
                                                describe_errno(error), advice));
    }
    struct stat status {};
    if (::fstat(fd.get(), &status) == 0 && S_ISDIR(status.st_mode))
        return fail(Exit::input, fmt::format("{} is a directory: name a capture file in it",
                                             shown_input(path)));
    return fd;
}

OutputFile::OutputFile(std::string path, Fd fd, std::string made, bool replaces)
    : path_(std::move(path)), fd_(std::move(fd)), made_(std::move(made)), replaces_(replaces)
{
}

OutputFile::OutputFile(OutputFile&& other) noexcept
    : path_(std::move(other.path_)), fd_(std::move(other.fd_)),
      made_(std::exchange(other.made_, {})), replaces_(other.replaces_),
      keeps_old_(other.keeps_old_)
{
}

OutputFile::~OutputFile()
{
    if (!made_.empty()) ::unlink(made_.c_str());
}

Result<OutputFile> OutputFile::open(const std::string& path, bool force)
{
    if (path == "-") {
        auto stream = standard_stream(STDOUT_FILENO, "redirect it, or use -o FILE");
        if (!stream) return tl::unexpected(stream.error());
        return OutputFile{path, std::move(*stream), {}, false};
    }
    Fd fd{::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY,
                 0600)};
    if (fd) return OutputFile{path, std::move(fd), path, false};
    if (errno != EEXIST) return cannot_create(path, errno);
    return open_existing(path, force);
}

Result<OutputFile> OutputFile::open_existing(const std::string& path, bool force)
{
    struct stat status {};
    if (::lstat(path.c_str(), &status) != 0) return cannot_create(path, errno);
    if (S_ISLNK(status.st_mode)) return cannot_create(path, ELOOP);
    if (S_ISDIR(status.st_mode)) return cannot_create(path, EISDIR);
    if (S_ISREG(status.st_mode)) {
        if (force || begins_as_capture(path, O_NOFOLLOW)) return open_beside(path, !force);
        return fail(Exit::input,
                    fmt::format("{} exists and is no capture: choose another name with -o, or "
                                "replace it with --force",
                                shown_output(path)));
    }
    // A device or FIFO holds no data that could be lost, and must not be renamed.
    Fd fd{::open(path.c_str(), O_WRONLY | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY)};
    if (!fd) return cannot_create(path, errno);
    return OutputFile{path, std::move(fd), {}, false};
}

Result<OutputFile> OutputFile::open_beside(const std::string& path, bool keep_old)
{
    std::string made = path + ".XXXXXX";
    Fd fd{::mkostemp(made.data(), O_CLOEXEC)};  // O_EXCL and 0600, too
    if (!fd) return cannot_create(path, errno);
    OutputFile file{path, std::move(fd), std::move(made), true};
    file.keeps_old_ = keep_old;
    return file;
}

Result<void> OutputFile::commit()
{
    if (keeps_old_ && ::rename(path_.c_str(), (path_ + ".old").c_str()) != 0 && errno != ENOENT)
        return cannot_create(path_ + ".old", errno);
    if (replaces_ && ::rename(made_.c_str(), path_.c_str()) != 0)
        return cannot_create(path_, errno);
    made_.clear();
    return {};
}

}  // namespace ipcscope::capture
