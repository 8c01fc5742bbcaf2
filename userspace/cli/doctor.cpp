// SPDX-License-Identifier: GPL-2.0-only
// ipcscope doctor: what works on this kernel, what does not, why, and how to fix it.
#include <algorithm>
#include <fstream>
#include <memory>
#include <optional>
#include <set>

#include <sys/utsname.h>
#include <unistd.h>

#include <fmt/format.h>

#include "base/version.hpp"
#include "cli/backend.hpp"
#include "cli/commands.hpp"
#include "source/kmod/load.hpp"

namespace ipcscope::cli {
namespace {

std::string first_line(const char* path)
{
    std::ifstream file(path);
    std::string line;
    std::getline(file, line);
    return line;
}

/// Standard output, each line as it is known, until the first that cannot be written.
class Page {
public:
    void text(std::string_view text)
    {
        if (shown_) {
            shown_ = print(text);
        }
    }
    void line(bool ok, std::string_view what, std::string_view detail, std::string_view fix = {})
    {
        constexpr int kWhat = 30;   // "splice waits for bytes (entry)"
        text(fmt::format("  {:<4} {:<{}} {}\n", ok ? "ok" : "NO", what, kWhat, detail));
        if (!ok && !fix.empty()) {
            text(fmt::format("       {:<{}} fix: {}\n", "", kWhat, fix));
        }
    }
    const Result<void>& shown() const { return shown_; }

private:
    Result<void> shown_;
};

/// Whether /proc/kallsyms shows addresses, which kernel stacks need for their names.
bool kallsyms_readable()
{
    std::ifstream file("/proc/kallsyms");
    std::string address, type, rest;
    // The list begins with per-CPU offsets, of which the first is 0 for all.
    while (file >> address >> type && std::getline(file, rest)) {
        if (type == "t" || type == "T") {
            return address.find_first_not_of('0') != std::string::npos;
        }
    }
    return false;
}

/// Without CAP_SYS_ADMIN the file can be opened, but not read.
bool stacks_readable() { return !first_line("/proc/self/stack").empty(); }

void examine_machine(Page& page)
{
    page.line(geteuid() == 0, "root", geteuid() == 0 ? "yes" : "no",
              "sudo ipcscope doctor (or CAP_BPF, CAP_PERFMON and CAP_SYS_PTRACE)");
    const bool btf = access("/sys/kernel/btf/vmlinux", R_OK) == 0;
    page.line(btf, "BTF", btf ? "/sys/kernel/btf/vmlinux" : "missing",
              "boot a kernel built with CONFIG_DEBUG_INFO_BTF=y");
    const bool symbols = kallsyms_readable();
    page.line(symbols, "kernel symbols",
              symbols ? "/proc/kallsyms" : "addresses are hidden: stacks have no names",
              "sysctl kernel.kptr_restrict=1, and run as root");
    const bool stacks = stacks_readable();
    page.line(stacks, "stacks of threads",
              stacks ? "/proc/PID/stack" : "unreadable: only the leader of a stuck process has one",
              "boot a kernel built with CONFIG_STACKTRACE=y, and run as root");
    const std::string lockdown = first_line("/sys/kernel/security/lockdown");
    const bool open = lockdown.find("[confidentiality]") == std::string::npos;
    page.line(open, "lockdown", lockdown.empty() ? "none" : lockdown,
              "boot without lockdown=confidentiality: BPF may not read kernel memory under it");
}

/// Of alternatives of one hook, which have one name, those that fit; where none does, why.
void show_hooks(Page& page, const BackendStatus& backend)
{
    std::set<std::string> shown;
    for (const bool attached : {true, false}) {
        for (const auto& family : backend.families) {
            for (const auto& hook : family.hooks) {
                const bool wanted = (hook.families & family.family.mask()) != 0;
                if (wanted && hook.attached == attached && shown.insert(hook.name).second) {
                    page.line(attached, hook.name,
                              attached ? fmt::format("{} ({})", hook.target, hook.mechanism) : hook.why);
                }
            }
        }
    }
}

/// @return what keeps it from tracing everything
Exit show_backend(Page& page, const BackendStatus& backend)
{
    page.text(fmt::format("\nBackend {}\n", backend.name));
    std::set<std::string> reasons;   // of all families, as a rule, the same one
    Exit worst = Exit::ok;
    for (const auto& family : backend.families) {
        const bool again = !family.works && !reasons.insert(family.why).second;
        page.line(family.works, family.family.name,
                  family.works ? "can be traced" : again ? "likewise" : family.why);
        worst = family.works ? worst : family.code;
    }
    show_hooks(page, backend);
    return worst;
}

/// Exit::ok where auto finds a backend that does everything.
Exit examine_and_choose_backend(Page& page)
{
    std::string chosen;
    Exit first = Exit::ok;
    for (const BackendStatus& backend : examine_backends()) {
        const Exit status = show_backend(page, backend);
        if (backend.works && chosen.empty()) {
            chosen = backend.name;
        }
        first = first == Exit::ok ? status : first;
    }
    page.text("\n--backend auto\n");
    page.line(!chosen.empty(), "uses",
              chosen.empty()    ? "nothing: no backend works"
              : chosen == "bpf" ? "bpf: it works, and needs no module"
                                : "kmod: bpf does not work here");
    return chosen.empty() ? first : Exit::ok;
}

constexpr const char kNotSeen[] = R"(
Not seen by any hook
  Unix-domain sockets: what a sockmap's program redirects, and a refused call on a
  seqpacket socket that is not connected.
  Futexes: futex_waitv(), the calls futex_wait, futex_wake and futex_requeue of Linux 6.7,
  and 32-bit calls.
  Calls under way when the trace begins are not counted.
)";

int doctor(bool load)
{
    std::optional<source::kmod::LoadedModule> module;
    if (load) {
        auto loaded = source::kmod::LoadedModule::load();
        if (!loaded) {
            return print_error(loaded.error());
        }
        module.emplace(std::move(*loaded));
    }
    utsname names{};
    uname(&names);
    Page page;
    page.text(fmt::format("ipcscope {} on {} {} {}\n\nThis machine\n", kVersion, names.sysname,
                          names.release, names.machine));
    examine_machine(page);
    if (module && module->ours()) {
        page.text("\nThe kernel module is loaded for this, which taints the kernel, and unloaded "
                  "at the end.\n");
    }
    const Exit status = examine_and_choose_backend(page);
    page.text(kNotSeen);
    return page.shown() ? static_cast<int>(status) : print_error(page.shown().error());
}

}  // namespace

Run declare_doctor(CLI::App& app)
{
    auto load = std::make_shared<bool>(false);
    CLI::App* doctor_app = app.add_subcommand(
        "doctor", "What works on this kernel, what does not, and how to fix it");
    doctor_app->add_flag("--load", *load,
                         "Load the kernel module where it is not loaded (this taints the kernel), "
                         "and unload it at the end");
    doctor_app->footer(R"(Examples:
  ipcscope doctor
  ipcscope doctor --load                 the kernel module, too)");
    return [load] { return doctor(*load); };
}

}  // namespace ipcscope::cli
