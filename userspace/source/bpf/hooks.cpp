// SPDX-License-Identifier: GPL-2.0-only
#include "source/bpf/hooks.hpp"

#include <fstream>
#include <set>

#include <bpf/btf.h>
#include <fmt/format.h>
#include <ipcscope/record.h>

namespace ipcscope::source::bpf {
namespace {

using enum Family;

const std::vector<Hook>& table()
{
    // Since 6.15 a pipe's and a FIFO's functions are two, and fifo_pipe_* calls
    // anon_pipe_*: hooking the latter counts each call once.
    static const std::vector<std::string_view> pipe_read{"anon_pipe_read", "pipe_read"};
    static const std::vector<std::string_view> pipe_write{"anon_pipe_write", "pipe_write"};
    // Renamed in 6.0 by 157cc18122b4.
    static const std::vector<std::string_view> send{"__send_signal_locked", "__send_signal"};

    static const std::vector<Hook> hooks{
        {"signal send (entry)", "send_enter", "fentry", send, {signals, kills},
         IPCSCOPE_SIGNAL_SEND, true},
        {"signal send (exit)", "send_exit", "fexit", send, {signals, kills},
         IPCSCOPE_SIGNAL_SEND, true},
        {"signal generated", "signal_generate", "tp_btf", {"signal_generate"},
         {signals, kills}, IPCSCOPE_SIGNAL_GENERATE, true},
        {"signal delivered", "signal_deliver", "tp_btf", {"signal_deliver"},
         {signals, kills}, IPCSCOPE_SIGNAL_DELIVER, true},
        {"signal dequeued", "dequeue_exit_task_mask_info", "fexit", {"dequeue_signal"},
         {signals, kills}, IPCSCOPE_SIGNAL_DEQUEUE, false},
        {"signal dequeued", "dequeue_exit_task_mask_info_type", "fexit", {"dequeue_signal"},
         {signals, kills}, IPCSCOPE_SIGNAL_DEQUEUE, false},
        {"signal dequeued", "dequeue_exit_mask_info_type", "fexit", {"dequeue_signal"},
         {signals, kills}, IPCSCOPE_SIGNAL_DEQUEUE, false},
        {"get_signal (entry)", "get_signal_enter", "fentry", {"get_signal"}, {signals},
         IPCSCOPE_SIGNAL_GET, false, "get_signal_enter_twin"},
        {"get_signal (exit)", "get_signal_exit", "fexit", {"get_signal"}, {signals}, 0, false,
         "get_signal_exit_twin"},
        {"pipe read (entry)", "pipe_read_enter", "fentry", pipe_read, {pipes},
         IPCSCOPE_PIPE_READ, true, "pipe_read_enter_twin"},
        {"pipe read (exit)", "pipe_read_exit", "fexit", pipe_read, {pipes}, 0, true,
         "pipe_read_exit_twin"},
        {"pipe write (entry)", "pipe_write_enter", "fentry", pipe_write, {pipes},
         IPCSCOPE_PIPE_WRITE, true, "pipe_write_enter_twin"},
        {"pipe write (exit)", "pipe_write_exit", "fexit", pipe_write, {pipes}, 0, true,
         "pipe_write_exit_twin"},
        {"context switch", "sched_switch", "tp_btf", {"sched_switch"}, {pipes}, 0, true},
        {"wake-up", "sched_waking", "tp_btf", {"sched_waking"}, {pipes}, 0, true},
        {"task exit", "process_exit", "tp_btf", {"sched_process_exit"},
         {signals, pipes, kills}, IPCSCOPE_TASK_EXIT, true,
         "process_exit_twin"},
        {"task freed", "process_free", "tp_btf", {"sched_process_free"},
         {signals, pipes, kills}, IPCSCOPE_TASK_FREE, true,
         "process_free_twin"},
        {"fork", "process_fork", "tp_btf", {"sched_process_fork"},
         {signals, pipes, kills}, 0, true, "process_fork_twin"},
    };
    return hooks;
}

/// Names of kallsyms that hooks may want: a function that BTF knows can still
/// be absent from the kernel's text (inlined, or split by the compiler).
std::set<std::string, std::less<>> present_functions()
{
    std::set<std::string, std::less<>> wanted, present;
    for (const Hook& hook : table()) {
        wanted.insert(hook.targets.begin(), hook.targets.end());
    }
    std::ifstream kallsyms("/proc/kallsyms");
    std::string address, type, name;
    while (kallsyms >> address >> type >> name) {
        if (wanted.count(name)) {
            present.insert(name);
        }
        std::getline(kallsyms, address);
    }
    return present;
}

std::string shape_of(const ::btf* btf, const btf_type* function)
{
    const btf_type* proto = btf__type_by_id(btf, function->type);
    const btf_param* params = btf_params(proto);
    const bool task_first =
        btf_vlen(proto) > 0 && [&] {
            const btf_type* type = btf__type_by_id(btf, params[0].type);
            if (!btf_is_ptr(type)) {
                return false;
            }
            type = btf__type_by_id(btf, type->type);
            return std::string_view(btf__name_by_offset(btf, type->name_off)) ==
                   "task_struct";
        }();
    return fmt::format("{}{}", task_first ? "task," : "", btf_vlen(proto));
}

/// dequeue_signal() has had three shapes; each has its program.
std::string_view program_for_shape(std::string_view shape)
{
    if (shape == "task,3") return "dequeue_exit_task_mask_info";
    if (shape == "task,4") return "dequeue_exit_task_mask_info_type";
    if (shape == "3") return "dequeue_exit_mask_info_type";
    return {};
}

Placement place_function(const ::btf* btf, const Hook& hook,
                         const std::set<std::string, std::less<>>& present)
{
    Placement placement{&hook, {}, {}};
    for (std::string_view target : hook.targets) {
        const std::string name(target);
        const int id = btf__find_by_name_kind(btf, name.c_str(), BTF_KIND_FUNC);
        if (id < 0) {
            placement.why = fmt::format("no function {} in the kernel's BTF", name);
            continue;
        }
        if (!present.count(name)) {
            placement.why = fmt::format("{} is inlined or split in this kernel", name);
            continue;
        }
        if (target == "dequeue_signal" &&
            program_for_shape(shape_of(btf, btf__type_by_id(btf, id))) != hook.program) {
            placement.why = "another shape of dequeue_signal";
            continue;
        }
        return {&hook, name, {}};
    }
    return placement;
}

Placement place_tracepoint(const ::btf* btf, const Hook& hook)
{
    const std::string type = fmt::format("btf_trace_{}", hook.targets.front());
    if (btf__find_by_name_kind(btf, type.c_str(), BTF_KIND_TYPEDEF) < 0) {
        return {&hook, {}, fmt::format("no tracepoint {}", hook.targets.front())};
    }
    return {&hook, std::string(hook.targets.front()), {}};
}

}  // namespace

std::span<const Hook> hooks()
{
    return table();
}

std::vector<Placement> place(const ::btf* btf)
{
    const auto present = present_functions();
    std::vector<Placement> placements;
    for (const Hook& hook : table()) {
        placements.push_back(hook.mechanism == "tp_btf" ? place_tracepoint(btf, hook)
                                                        : place_function(btf, hook, present));
    }
    return placements;
}

}  // namespace ipcscope::source::bpf
