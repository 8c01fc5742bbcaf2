// SPDX-License-Identifier: GPL-2.0-only
#include "bench/environment.hpp"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include <sys/utsname.h>
#include <unistd.h>

#include "base/clock.hpp"
#include "base/version.hpp"
#include "bench/cost.hpp"
#include "bench/topology.hpp"

#if defined(__x86_64__) || defined(__i386__)
#include <cpuid.h>
#endif

namespace ipcscope::bench {
namespace {

std::string first_line(const std::string& path)
{
    std::ifstream file(path);
    std::string line;
    std::getline(file, line);
    return line;
}

std::string first_line(const std::string& path, const char* otherwise)
{
    const std::string line = first_line(path);
    return line.empty() ? otherwise : line;
}

std::string cpu_model()
{
    std::ifstream file("/proc/cpuinfo");
    std::string line;
    while (std::getline(file, line)) {
        for (const char* field : {"model name", "Model", "cpu model", "uarch"}) {
            const std::size_t colon = line.find(": ");
            if (line.rfind(field, 0) == 0 && colon != std::string::npos) {
                return line.substr(colon + 2);
            }
        }
    }
    return "unknown";
}

/// "KVM" from the hypervisor leaf; "none" where there is no such leaf.
std::string hypervisor()
{
#if defined(__x86_64__) || defined(__i386__)
    unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
    __cpuid(1, eax, ebx, ecx, edx);
    if (!(ecx >> 31 & 1)) {
        return "none";
    }
    __cpuid(0x40000000, eax, ebx, ecx, edx);
    std::string vendor;
    for (const unsigned part : {ebx, ecx, edx}) {
        vendor.append(reinterpret_cast<const char*>(&part), sizeof(part));
    }
    vendor.resize(std::min(vendor.size(), vendor.find('\0')));
    const std::pair<const char*, const char*> known[] = {
        {"KVMKVMKVM", "KVM"},    {"TCGTCGTCGTCG", "QEMU emulation (TCG)"},
        {"VMwareVMware", "VMware"}, {"Microsoft Hv", "Hyper-V"},
        {"XenVMMXenVMM", "Xen"},  {"bhyve bhyve ", "bhyve"},
        {"VBoxVBoxVBox", "VirtualBox"}};
    for (const auto& [id, name] : known) {
        if (vendor == id) return name;
    }
    return vendor.empty() ? "unknown" : vendor;
#else
    return first_line("/sys/hypervisor/type", "unknown");
#endif
}

std::vector<std::string> mitigations()
{
    std::vector<std::string> all;
    std::error_code error;
    const std::filesystem::directory_iterator files("/sys/devices/system/cpu/vulnerabilities",
                                                    error);
    for (const auto& file : files) {
        const std::string state = first_line(file.path());
        if (!state.empty() && state != "Not affected") {
            all.push_back(file.path().filename().string() + ": " + state);
        }
    }
    std::sort(all.begin(), all.end());
    return all;
}

/// The kernel shows it in its version ("PREEMPT_DYNAMIC"), and root may see which
/// of the dynamic ones is chosen: "none voluntary (full) lazy".
std::string preemption(const std::string& version)
{
    const std::string modes = first_line("/sys/kernel/debug/sched/preempt");
    const std::size_t open = modes.find('('), close = modes.find(')');
    if (open < close && close != std::string::npos) {
        return modes.substr(open + 1, close - open - 1);
    }
    for (const char* word : {"PREEMPT_RT", "PREEMPT_DYNAMIC", "PREEMPT_LAZY", "PREEMPT"}) {
        if (version.find(word) != std::string::npos) return word;
    }
    return "none or voluntary";
}

}  // namespace

Environment read_environment()
{
    utsname names{};
    uname(&names);
    Environment found;
    found.tool_version = kVersion;
    found.hostname = names.nodename;
    found.kernel = names.release;
    found.kernel_version = names.version;
    found.machine = names.machine;
    found.cpu_model = cpu_model();
    found.cpus_online = static_cast<unsigned>(sysconf(_SC_NPROCESSORS_ONLN));
    found.cpus_allowed = allowed_cpus();
    found.governor =
        first_line("/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", "none");
    found.smt = first_line("/sys/devices/system/cpu/smt/control", "unknown");
    found.mitigations = mitigations();
    found.hypervisor = hypervisor();
    found.clocksource = first_line(
        "/sys/devices/system/clocksource/clocksource0/current_clocksource", "unknown");
    found.preemption = preemption(found.kernel_version);
    std::istringstream(first_line("/proc/loadavg")) >> found.load_average;
    found.clock_cost_ns = clock_cost_ns();
    found.harness_cost_ns = harness_cost_ns(1);
    found.started_unix_ns = clock_ns(CLOCK_REALTIME);
    return found;
}

CpuTimes cpu_times()
{
    std::ifstream file("/proc/stat");
    std::string cpu;
    std::uint64_t user = 0, nice = 0, system = 0, idle = 0, iowait = 0, irq = 0, softirq = 0,
                  steal = 0;
    file >> cpu >> user >> nice >> system >> idle >> iowait >> irq >> softirq >> steal;
    const std::uint64_t tick_ns =
        1'000'000'000u / static_cast<std::uint64_t>(sysconf(_SC_CLK_TCK));
    return {(user + nice + system + irq + softirq) * tick_ns, steal * tick_ns};
}

}  // namespace ipcscope::bench
