// SPDX-License-Identifier: GPL-2.0-only
// A file to write at the end, opened at the beginning: nobody waits a minute to
// learn that there is no such directory.
#pragma once

#include <string>
#include <string_view>

#include "base/fd.hpp"
#include "base/result.hpp"

namespace ipcscope::cli {

class OutputFile {
public:
    /// What the file holds stays until write().
    static Result<OutputFile> open(const std::string& path);
    OutputFile(OutputFile&&) = default;
    /// Removes it again where it is new and was never written.
    ~OutputFile();

    /// Replaces what the file holds.
    Result<void> write(std::string_view text);

private:
    OutputFile(std::string path, Fd fd, bool fresh)
        : path_(std::move(path)), fd_(std::move(fd)), fresh_(fresh) {}

    std::string path_;
    Fd fd_;
    bool fresh_;
};

}  // namespace ipcscope::cli
