// SPDX-License-Identifier: GPL-2.0-only
#include "source/bpf/load_error.hpp"

#include <cerrno>
#include <cstring>
#include <string_view>
#include <vector>

#include <fmt/format.h>

namespace ipcscope::source::bpf {
namespace {

std::vector<std::string_view> lines_of(std::string_view text)
{
    std::vector<std::string_view> lines;
    while (!text.empty()) {
        const auto end = text.find('\n');
        if (const auto line = text.substr(0, end); !line.empty()) {
            lines.push_back(line);
        }
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    }
    return lines;
}

/// The verifier's reason: the last line of its log before the statistics.
std::string_view verdict(const std::vector<std::string_view>& lines)
{
    std::string_view reason;
    bool inside = false;
    for (std::string_view line : lines) {
        if (line.find("-- BEGIN PROG LOAD LOG --") != line.npos) {
            inside = true;
        } else if (line.find("-- END PROG LOAD LOG --") != line.npos) {
            inside = false;
        } else if (inside && !line.starts_with("processed ") &&
                   !line.starts_with("verification time") && !line.starts_with("stack depth")) {
            reason = line;
        }
    }
    return reason;
}

/// libbpf: "prog 'name': BPF program load failed: …".
std::string_view program_name(const std::vector<std::string_view>& lines)
{
    for (std::string_view line : lines) {
        const auto at = line.find("prog '");
        if (at != line.npos && line.find("load failed") != line.npos) {
            line.remove_prefix(at + 6);
            return line.substr(0, line.find('\''));
        }
    }
    return "a program";
}

}  // namespace

Error load_error(int error, const std::string& log)
{
    const auto lines = lines_of(log);
    if (error == -EMFILE || error == -ENFILE) {
        return {Exit::kernel,
                fmt::format("the BPF programs cannot be loaded: too many open files{}",
                            error == -EMFILE ? "; raise the limit (ulimit -n)" : "")};
    }
    if (const auto reason = verdict(lines); !reason.empty()) {
        return {Exit::kernel, fmt::format("this kernel's BPF verifier refuses {}: {}",
                                          program_name(lines), reason)};
    }
    if (error == -ENOMEM) {
        return {Exit::kernel,
                "there is not enough memory for the BPF maps; of stat, fewer "
                "--max-rows need less"};
    }
    if (error == -EPERM || error == -EACCES) {
        return {Exit::permission,
                "loading the BPF programs is not permitted: run as root (or with CAP_BPF and "
                "CAP_PERFMON), and see that no lockdown or seccomp filter forbids bpf(2)"};
    }
    return {Exit::kernel,
            fmt::format("this kernel does not take the BPF programs ({}){}{}; ipcscope doctor "
                        "shows what it lacks",
                        std::strerror(-error), lines.empty() ? "" : ": ",
                        lines.empty() ? std::string_view() : lines.back())};
}

}  // namespace ipcscope::source::bpf
