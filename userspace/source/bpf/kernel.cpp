// SPDX-License-Identifier: GPL-2.0-only
#include "source/bpf/kernel.hpp"

#include <fstream>
#include <string_view>

#include <sys/utsname.h>

#include <bpf/btf.h>

namespace ipcscope::source::bpf {
namespace {

std::string version()
{
    utsname names{};
    uname(&names);
    return names.version;
}

/// CONFIG_PREEMPT in any of its forms; where it is dynamic, the mode it is in.
bool preempts_programs(const std::string& version)
{
    for (const char* path :
         {"/sys/kernel/debug/sched/preempt", "/sys/kernel/debug/sched_preempt"}) {
        std::ifstream file(path);
        if (std::string modes; std::getline(file, modes)) {
            return preempts(modes);
        }
    }
    return version.find("PREEMPT") != version.npos;
}

std::string_view name_of(const ::btf* btf, const btf_type* type)
{
    return type ? btf__name_by_offset(btf, type->name_off) : "";
}

/// Name of the type of a struct's member; empty where there is none.
std::string_view member_type(const ::btf* btf, const char* structure, std::string_view member)
{
    const int id = btf__find_by_name_kind(btf, structure, BTF_KIND_STRUCT);
    const btf_type* type = id < 0 ? nullptr : btf__type_by_id(btf, static_cast<__u32>(id));
    for (int i = 0; type && i < btf_vlen(type); ++i) {
        const btf_member& one = btf_members(type)[i];
        if (btf__name_by_offset(btf, one.name_off) == member) {
            return name_of(btf, btf__type_by_id(btf, one.type));
        }
    }
    return {};
}

/// Arguments of a tracepoint; -1: there is no such tracepoint.
int tracepoint_arguments(const ::btf* btf, const char* type_name)
{
    const int id = btf__find_by_name_kind(btf, type_name, BTF_KIND_TYPEDEF);
    if (id < 0) {
        return -1;
    }
    const btf_type* type = btf__type_by_id(btf, static_cast<__u32>(id));
    type = btf__type_by_id(btf, type->type);                // the pointer
    type = type ? btf__type_by_id(btf, type->type) : nullptr;
    return type && btf_is_func_proto(type) ? btf_vlen(type) - 1 : -1;
}

}  // namespace

bool preempts(const std::string& modes)
{
    return modes.find("(none)") == modes.npos && modes.find("(voluntary)") == modes.npos;
}

Result<KernelTraits> kernel_traits(const ::btf* btf)
{
    const std::string text = version();
    KernelTraits traits;
    traits.realtime = text.find("PREEMPT_RT") != text.npos || text.find("PREEMPT RT") != text.npos;
    traits.preempts_programs = traits.realtime || preempts_programs(text);
    traits.switch_prev_state = tracepoint_arguments(btf, "btf_trace_sched_switch") >= 4;
    // A raw lock since 6.12 (8b62645b09f8).
    if (traits.realtime && member_type(btf, "bpf_ringbuf", "spinlock") == "spinlock_t") {
        return fail(Exit::kernel,
                    "this PREEMPT_RT kernel's BPF ring buffers take a sleeping lock, which the "
                    "scheduler's hooks cannot: use --backend=kmod");
    }
    return traits;
}

}  // namespace ipcscope::source::bpf
