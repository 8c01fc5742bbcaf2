// SPDX-License-Identifier: GPL-2.0-only
#include "cli/output_file.hpp"

#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

#include "base/safe_text.hpp"
#include "capture/capture.hpp"

namespace ipcscope::cli {
namespace {

tl::unexpected<Error> failed(const std::string& path)
{
    return fail(Exit::input, fmt::format("{}: {}", path, std::strerror(errno)));
}

bool is_regular(int fd)
{
    struct stat status{};
    return fstat(fd, &status) == 0 && S_ISREG(status.st_mode);
}

}  // namespace

Result<void> spare_capture(std::string_view option, const std::string& file)
{
    if (!capture::is_capture(file)) return {};
    return fail(Exit::usage, fmt::format("{}: {} is a capture, and would be replaced: choose another name",
                                         option, SafeText::escape(file).str()));
}

Result<OutputFile> OutputFile::open(const std::string& path)
{
    constexpr int kFlags = O_WRONLY | O_CREAT | O_CLOEXEC;
    Fd fd(::open(path.c_str(), kFlags | O_EXCL, 0644));
    const bool created = static_cast<bool>(fd);
    if (!fd && errno == EEXIST) fd.reset(::open(path.c_str(), kFlags, 0644));
    if (!fd) return failed(path);
    return OutputFile(path, std::move(fd), created);
}

OutputFile::~OutputFile()
{
    if (fd_ && created_) unlink(path_.c_str());
}

Result<void> OutputFile::write(std::string_view text)
{
    created_ = false;
    if (is_regular(fd_.get()) && ftruncate(fd_.get(), 0) != 0) return failed(path_);
    while (!text.empty()) {
        const ssize_t wrote = ::write(fd_.get(), text.data(), text.size());
        if (wrote < 0 && errno == EINTR) continue;
        if (wrote < 0) return failed(path_);
        text.remove_prefix(static_cast<std::size_t>(wrote));
    }
    // close() may be the first call to report a full disk.
    if (close(fd_.release()) != 0) return failed(path_);
    return {};
}

}  // namespace ipcscope::cli
