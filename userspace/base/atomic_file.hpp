// SPDX-License-Identifier: GPL-2.0-only
// A file that is there whole, or not at all: written beside its name and renamed at the end.
#pragma once

#include <string>
#include <string_view>

#include <sys/types.h>

#include "base/fd.hpp"
#include "base/result.hpp"

namespace ipcscope {

/// A pipe, a terminal or a device cannot be renamed: it is written at once.  "-" is standard
/// output.  The disk's cache is not flushed: after a power failure the file may be missing.
class AtomicFile {
public:
    /// @param mode of a file; not of one that cannot be renamed
    static Result<AtomicFile> create(const std::string& path, mode_t mode);

    AtomicFile(AtomicFile&& other) noexcept;
    AtomicFile& operator=(AtomicFile&&) = delete;
    /// Removes what was not committed.
    ~AtomicFile();

    /// Whether it is written beside its name.
    bool is_renamed() const { return !temporary_.empty(); }
    /// Where it is written, for a library that takes a name; empty where it is not renamed.
    const std::string& temporary() const { return temporary_; }

    Result<void> write(std::string_view bytes);
    /// Gives it its name; call it once, at the end.
    Result<void> commit();

    /// "cannot write NAME: why: what to do", of an errno.
    Error error(int number) const;

private:
    AtomicFile(std::string path, std::string temporary, Fd fd);

    std::string path_;
    std::string temporary_;
    Fd fd_;
};

}  // namespace ipcscope
