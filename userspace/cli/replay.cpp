// SPDX-License-Identifier: GPL-2.0-only
#include "cli/replay.hpp"

#include "capture/capture.hpp"

namespace ipcscope::cli {

Result<std::string> replay(const std::string& file, source::Sink& sink)
{
    auto reader = capture::Reader::open(file);
    if (!reader) {
        return tl::unexpected<Error>(reader.error());
    }
    while (true) {
        auto more = (*reader)->poll(sink, std::chrono::milliseconds(0));
        if (!more) {
            return tl::unexpected<Error>(more.error());
        }
        if (!*more) {
            return (*reader)->incomplete_why();
        }
    }
}

}  // namespace ipcscope::cli
