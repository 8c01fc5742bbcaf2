// SPDX-License-Identifier: GPL-2.0-only
#include "bench/topology.hpp"

#include <cerrno>
#include <fstream>
#include <memory>
#include <string>

#include <sched.h>
#include <unistd.h>

#include <fmt/format.h>

namespace ipcscope::bench {
namespace {

/// A set of any number of CPUs: cpu_set_t ends at 1,024.
class CpuSet {
public:
    CpuSet() : set_(CPU_ALLOC(kCpus)) { CPU_ZERO_S(bytes(), set_); }
    ~CpuSet() { CPU_FREE(set_); }
    CpuSet(const CpuSet&) = delete;
    CpuSet& operator=(const CpuSet&) = delete;

    static constexpr unsigned kCpus = 8192;   // CONFIG_NR_CPUS at most
    static std::size_t bytes() { return CPU_ALLOC_SIZE(kCpus); }
    cpu_set_t* get() { return set_; }
    bool has(unsigned cpu) const { return CPU_ISSET_S(cpu, bytes(), set_); }
    void add(unsigned cpu) { CPU_SET_S(cpu, bytes(), set_); }

private:
    cpu_set_t* set_;
};

/// "0,2" or "0-1": the hardware threads of the core that `cpu` belongs to.
std::string siblings(unsigned cpu)
{
    std::ifstream file(fmt::format(
        "/sys/devices/system/cpu/cpu{}/topology/thread_siblings_list", cpu));
    std::string line;
    std::getline(file, line);
    return line;
}

}  // namespace

std::vector<unsigned> allowed_cpus()
{
    CpuSet set;
    std::vector<unsigned> cpus;
    if (sched_getaffinity(0, CpuSet::bytes(), set.get()) == 0) {
        for (unsigned cpu = 0; cpu < CpuSet::kCpus; cpu++) {
            if (set.has(cpu)) {
                cpus.push_back(cpu);
            }
        }
    }
    return cpus;
}

Distance distance(unsigned cpu_a, unsigned cpu_b)
{
    if (cpu_a == cpu_b) {
        return Distance::same_cpu;
    }
    const std::string of_a = siblings(cpu_a);
    return !of_a.empty() && of_a == siblings(cpu_b) ? Distance::smt : Distance::other_cpu;
}

int pin(unsigned cpu)
{
    if (cpu >= CpuSet::kCpus) {
        return EINVAL;
    }
    CpuSet set;
    set.add(cpu);
    return sched_setaffinity(0, CpuSet::bytes(), set.get()) == 0 ? 0 : errno;
}

}  // namespace ipcscope::bench
