// SPDX-License-Identifier: GPL-2.0-only
// Opening capture files safely, and saying what went wrong.
#pragma once

#include <string>

#include "base/fd.hpp"
#include "base/result.hpp"

namespace ipcscope::capture {

/// A path as messages show it: "-" is a stream, the rest is escaped.
std::string shown_input(const std::string& path);
std::string shown_output(const std::string& path);

/// "No space left on device" for ENOSPC.
std::string describe_errno(int error);

Result<Fd> open_input(const std::string& path);

/// A file being made.  Where it is to replace another one, it has a temporary
/// name until commit(), and the other one stays as it is until then; a file that
/// is never committed is removed.
/// An existing capture is kept as FILE.old, but not where `force`; another file is
/// replaced only where `force`.
class OutputFile {
public:
    static Result<OutputFile> open(const std::string& path, bool force);
    OutputFile(OutputFile&& other) noexcept;
    OutputFile& operator=(OutputFile&&) = delete;
    ~OutputFile();

    int fd() const { return fd_.get(); }
    Result<void> commit();

private:
    OutputFile(std::string path, Fd fd, std::string made, bool replaces);
    static Result<OutputFile> open_existing(const std::string& path, bool force);
    static Result<OutputFile> open_beside(const std::string& path, bool keep_old);

    std::string path_;
    Fd fd_;
    std::string made_;       ///< name that we have created, empty: none
    bool replaces_ = false;  ///< made_ is to be renamed to path_
    bool keeps_old_ = false; ///< which is renamed to path_.old first
};

}  // namespace ipcscope::capture
