// SPDX-License-Identifier: GPL-2.0-only
// Files that commands write.
#pragma once

#include <string>
#include <string_view>

#include "base/fd.hpp"
#include "base/result.hpp"

namespace ipcscope::cli {

/// Refuses a file that is a capture, which `option` ("report --output") would replace.
Result<void> spare_capture(std::string_view option, const std::string& file);

/// A file that is opened at the start and written at the end, so that a missing directory
/// is reported before the measurement.
class OutputFile {
public:
    /// The file's content is kept until write().
    static Result<OutputFile> open(const std::string& path);
    OutputFile(OutputFile&&) = default;
    /// Removes the file if open() created it and write() was not called.
    ~OutputFile();

    /// Replaces the file's content.
    Result<void> write(std::string_view text);

private:
    OutputFile(std::string path, Fd fd, bool created)
        : path_(std::move(path)), fd_(std::move(fd)), created_(created) {}

    std::string path_;
    Fd fd_;
    bool created_;
};

}  // namespace ipcscope::cli
