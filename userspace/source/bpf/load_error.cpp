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

/// A helper that the verifier does not know for this type of program: under lockdown
/// (kernel/trace/bpf_trace.c) those that read kernel memory are such.
bool refuses_reading(std::string_view reason)
{
    const bool refused = reason.find("cannot use helper") != reason.npos ||
                         reason.find("unknown func") != reason.npos;   // until 6.12
    return refused && reason.find("bpf_probe_read") != reason.npos;
}

Error locked_down()
{
    return {Exit::permission,
            "lockdown=confidentiality: BPF programs may not read kernel memory, and that cannot be "
            "lowered while the kernel runs: boot without it; inspect, bench, report, dump and diff "
            "work under it, and a signed kernel module (--backend kmod)"};
}

}  // namespace

Error btf_error(int error)
{
    if (error == EMFILE || error == ENFILE) {
        return load_error(-error, {});
    }
    if (error == ENOENT || error == 0) {
        return {Exit::kernel,
                "this kernel has no BTF (/sys/kernel/btf/vmlinux): boot one that is built with "
                "CONFIG_DEBUG_INFO_BTF=y"};
    }
    return {error == EACCES || error == EPERM ? Exit::permission : Exit::kernel,
            fmt::format("the kernel's BTF (/sys/kernel/btf/vmlinux) cannot be read: {}",
                        std::strerror(error))};
}

Error load_error(int error, const std::string& log, std::string_view lockdown)
{
    const auto lines = lines_of(log);
    if (error == -EMFILE || error == -ENFILE) {
        return {Exit::kernel,
                fmt::format("the BPF programs cannot be loaded: too many open files{}",
                            error == -EMFILE ? "; raise the limit (ulimit -n)" : "")};
    }
    const auto reason = verdict(lines);
    if (refuses_reading(reason) && lockdown.find("[confidentiality]") != lockdown.npos) {
        return locked_down();
    }
    if (!reason.empty()) {
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
                "loading the BPF programs is not permitted: run as root (or with CAP_BPF, "
                "CAP_PERFMON and CAP_SYS_PTRACE), and see that no lockdown or seccomp filter forbids bpf(2)"};
    }
    return {Exit::kernel,
            fmt::format("this kernel does not take the BPF programs ({}){}{}; ipcscope doctor "
                        "shows what it lacks",
                        std::strerror(-error), lines.empty() ? "" : ": ",
                        lines.empty() ? std::string_view() : lines.back())};
}

}  // namespace ipcscope::source::bpf
