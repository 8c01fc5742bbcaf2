// SPDX-License-Identifier: GPL-2.0-only
#include "source/bpf/hooks.hpp"

#include <cerrno>
#include <map>
#include <unordered_map>

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <fmt/format.h>
#include <ipcscope/record.h>

#include "base/fd.hpp"
#include "source/bpf/load_error.hpp"

namespace ipcscope::source::bpf {
namespace {

constexpr FamilyMask kSends = IPCSCOPE_FAMILY_SIGNALS | IPCSCOPE_FAMILY_KILLS;
constexpr FamilyMask kTakings = IPCSCOPE_FAMILY_SIGNALS;
constexpr FamilyMask kPipes = IPCSCOPE_FAMILY_PIPES;
constexpr FamilyMask kEventfd = IPCSCOPE_FAMILY_EVENTFD;
constexpr FamilyMask kSysv = IPCSCOPE_FAMILY_SYSV;
constexpr FamilyMask kFutex = IPCSCOPE_FAMILY_FUTEX | IPCSCOPE_FAMILY_FUTEX_ALL;
constexpr FamilyMask kMqueue = IPCSCOPE_FAMILY_MQUEUE;
constexpr FamilyMask kUnix = IPCSCOPE_FAMILY_UNIX;
constexpr FamilyMask kHandlers = IPCSCOPE_FAMILY_HANDLERS;
constexpr FamilyMask kAll = IPCSCOPE_FAMILY_ALL;   // threads, and their time

const std::vector<Hook>& table()
{
    // Since 6.15 a pipe's and a FIFO's functions are two, and fifo_pipe_* calls
    // anon_pipe_*: hooking the latter counts each call once.
    static const std::vector<std::string_view> pipe_read{"anon_pipe_read", "pipe_read"};
    static const std::vector<std::string_view> pipe_write{"anon_pipe_write", "pipe_write"};
    // Renamed in 6.0 by 157cc18122b4.
    static const std::vector<std::string_view> send{"__send_signal_locked", "__send_signal"};
    static const std::vector<std::string_view> dequeue{"dequeue_signal"};
    static const std::vector<std::string_view> sigaction{"do_sigaction"};
    static const std::vector<std::string_view> get_signal{"get_signal"};
    // Unix-domain sockets: bpf/unix.bpf.c says why these.
    static const std::vector<std::string_view> stream_send{"unix_stream_sendmsg"};
    static const std::vector<std::string_view> sendpage{"unix_stream_sendpage"};
    static const std::vector<std::string_view> dgram_send{"unix_dgram_sendmsg"};
    static const std::vector<std::string_view> stream_receive{"unix_stream_read_generic"};
    static const std::vector<std::string_view> dgram_receive{"__unix_dgram_recvmsg"};
    static const std::vector<std::string_view> dgram_recvmsg{"unix_dgram_recvmsg"};
    static const std::vector<std::string_view> connect{"unix_stream_connect"};
    static const std::vector<std::string_view> accept{"unix_accept"};

    // Of a skipped run without a kind another program does the work, or the record
    // is made all the same: bpf/*.bpf.c says which.
    static const std::vector<Hook> hooks{
        {"context switch", "sched_switch", "tp_btf", {"sched_switch"}, kAll,
         IPCSCOPE_THREAD_EXIT, true, {}, HookUse::records},
        {"wake-up", "sched_waking", "tp_btf", {"sched_waking"}, kAll, 0, true, {},
         HookUse::records},
        {"thread created", "wakeup_new", "tp_btf", {"sched_wakeup_new"}, kAll,
         IPCSCOPE_THREAD, true, {}, HookUse::follow},
        {"exec", "process_exec", "tp_btf", {"sched_process_exec"}, kAll, 0, true,
         "process_exec_twin", HookUse::records},
        {"task freed", "process_free", "tp_btf", {"sched_process_free"}, kAll,
         IPCSCOPE_THREAD_FREE, true},
        {"threads at the start", "sweep", "iter", {"task"}, kAll, 0, true, {}, HookUse::records},
        {"signal send", "send_enter", "fentry", send, kSends, 0, true, {},
         HookUse::records},
        {"signal generated", "signal_generate", "tp_btf", {"signal_generate"}, kSends,
         IPCSCOPE_SIGNAL_GENERATE, true},
        {"OOM killer", "oom_kill", "fentry", {"oom_kill_process"}, kSends, 0, false, {},
         HookUse::records},
        {"terminal hangs up", "terminal_hangup", "fentry", {"tty_signal_session_leader"}, kSends,
         0, false, {}, HookUse::records},
        {"signal delivered", "signal_deliver", "tp_btf", {"signal_deliver"}, kTakings,
         IPCSCOPE_SIGNAL_TAKE, true},
        {"signal dequeued", "dequeue_exit_task_mask_info", "fexit", dequeue, kTakings,
         IPCSCOPE_SIGNAL_TAKE, false, {}, HookUse::always, {}, "task,3"},
        {"signal dequeued", "dequeue_exit_task_mask_info_type", "fexit", dequeue, kTakings,
         IPCSCOPE_SIGNAL_TAKE, false, {}, HookUse::always, {}, "task,4"},
        {"signal dequeued", "dequeue_exit_mask_info_type", "fexit", dequeue, kTakings,
         IPCSCOPE_SIGNAL_TAKE, false, {}, HookUse::always, {}, "3"},
        {"get_signal (entry)", "get_signal_enter", "fentry", get_signal, kTakings, 0, false,
         "get_signal_enter_twin", HookUse::records},
        {"sigaction (entry)", "sigaction_enter", "fentry", sigaction, kTakings, 0, false,
         "sigaction_enter_twin"},
        {"sigaction (exit)", "sigaction_exit", "fexit", sigaction, kTakings, 0, false,
         "sigaction_exit_twin"},
        {"pipe read (entry)", "pipe_read_enter", "fentry", pipe_read, kPipes,
         IPCSCOPE_CALL_PIPE, true, "pipe_read_enter_twin"},
        {"pipe read (exit)", "pipe_read_exit", "fexit", pipe_read, kPipes, 0, true,
         "pipe_read_exit_twin"},
        {"pipe write (entry)", "pipe_write_enter", "fentry", pipe_write, kPipes,
         IPCSCOPE_CALL_PIPE, true, "pipe_write_enter_twin"},
        {"pipe write (exit)", "pipe_write_exit", "fexit", pipe_write, kPipes, 0, true,
         "pipe_write_exit_twin"},
        {"splice (entry)", "splice_enter", "fentry", {"do_splice"}, kPipes,
         IPCSCOPE_CALL_SPLICE, false, "splice_enter_twin"},
        {"splice (exit)", "splice_exit", "fexit", {"do_splice"}, kPipes, 0, false,
         "splice_exit_twin"},
        {"tee (entry)", "tee_enter", "fentry", {"do_tee"}, kPipes, IPCSCOPE_CALL_SPLICE, false,
         "tee_enter_twin"},
        {"tee (exit)", "tee_exit", "fexit", {"do_tee"}, kPipes, 0, false, "tee_exit_twin"},
        {"sendfile (entry)", "sendfile_enter", "fentry", {"do_sendfile"}, kPipes,
         IPCSCOPE_CALL_SPLICE, false, "sendfile_enter_twin"},
        {"sendfile (exit)", "sendfile_exit", "fexit", {"do_sendfile"}, kPipes, 0, false,
         "sendfile_exit_twin"},
        {"vmsplice (entry)", "vmsplice_enter", "fentry", {"__x64_sys_vmsplice"}, kPipes,
         IPCSCOPE_CALL_SPLICE, false, "vmsplice_enter_twin"},
        {"vmsplice (exit)", "vmsplice_exit", "fexit", {"__x64_sys_vmsplice"}, kPipes, 0, false,
         "vmsplice_exit_twin"},
        {"splice waits for bytes (entry)", "pipe_wait_readable_enter", "fentry",
         {"pipe_wait_readable"}, kPipes, 0, false, {},
         HookUse::records},
        {"splice waits for bytes (exit)", "pipe_wait_readable_exit", "fexit",
         {"pipe_wait_readable"}, kPipes, 0, false, {},
         HookUse::records},
        {"splice waits for room (entry)", "pipe_wait_writable_enter", "fentry",
         {"pipe_wait_writable"}, kPipes, 0, false, {},
         HookUse::records},
        {"splice waits for room (exit)", "pipe_wait_writable_exit", "fexit",
         {"pipe_wait_writable"}, kPipes, 0, false, {},
         HookUse::records},
        {"FIFO open (entry)", "fifo_open_enter", "fentry", {"fifo_open"}, kPipes,
         IPCSCOPE_CALL_SPLICE, false},
        {"FIFO open (exit)", "fifo_open_exit", "fexit", {"fifo_open"}, kPipes, 0, false},
        {"pipe resize (entry)", "pipe_resize_enter", "fentry", {"pipe_fcntl"}, kPipes,
         IPCSCOPE_CALL_SPLICE, false},
        {"pipe resize (exit)", "pipe_resize_exit", "fexit", {"pipe_fcntl"}, kPipes, 0, false},
        {"eventfd read (entry)", "eventfd_read_enter", "fentry", {"eventfd_read"}, kEventfd,
         IPCSCOPE_CALL_EVENTFD, false, "eventfd_read_enter_twin"},
        {"eventfd read (exit)", "eventfd_read_exit", "fexit", {"eventfd_read"}, kEventfd, 0,
         false, "eventfd_read_exit_twin"},
        {"eventfd write (entry)", "eventfd_write_enter", "fentry", {"eventfd_write"}, kEventfd,
         IPCSCOPE_CALL_EVENTFD, false, "eventfd_write_enter_twin"},
        {"eventfd write (exit)", "eventfd_write_exit", "fexit", {"eventfd_write"}, kEventfd, 0,
         false, "eventfd_write_exit_twin"},
        {"msgsnd (entry)", "msgsnd_enter", "fentry", {"do_msgsnd"}, kSysv,
         IPCSCOPE_CALL_SYSV, false, "msgsnd_enter_twin"},
        {"msgsnd (exit)", "msgsnd_exit", "fexit", {"do_msgsnd"}, kSysv, 0, false,
         "msgsnd_exit_twin"},
        {"msgrcv (entry)", "msgrcv_enter", "fentry", {"do_msgrcv"}, kSysv,
         IPCSCOPE_CALL_SYSV, false, "msgrcv_enter_twin"},
        {"msgrcv (exit)", "msgrcv_exit", "fexit", {"do_msgrcv"}, kSysv, 0, false,
         "msgrcv_exit_twin"},
        {"semop (entry)", "semop_enter", "fentry", {"do_semtimedop"}, kSysv,
         IPCSCOPE_CALL_SYSV, false, "semop_enter_twin"},
        {"semop (exit)", "semop_exit", "fexit", {"do_semtimedop"}, kSysv, 0, false,
         "semop_exit_twin"},
        {"SysV object (exit)", "sysv_obtained", "fexit", {"ipc_obtain_object_check"}, kSysv, 0,
         false, "sysv_obtained_twin", HookUse::records},
        {"futex (entry)", "futex_enter", "fentry", {"__x64_sys_futex"}, kFutex,
         IPCSCOPE_CALL_FUTEX, false, "futex_enter_twin"},
        {"futex (exit)", "futex_exit", "fexit", {"__x64_sys_futex"}, kFutex, 0, false,
         "futex_exit_twin"},
        {"futex restart (entry)", "futex_restart_enter", "fentry", {"futex_wait_restart"}, kFutex,
         IPCSCOPE_CALL_FUTEX, false, "futex_restart_enter_twin"},
        {"futex restart (exit)", "futex_restart_exit", "fexit", {"futex_wait_restart"}, kFutex, 0,
         false, "futex_restart_exit_twin"},
        {"futex's memory (exit)", "futex_key", "fexit", {"get_futex_key"}, kFutex, 0, false,
         "futex_key_twin"},
        {"mqueue send (entry)", "mqueue_send_enter", "fentry", {"do_mq_timedsend"}, kMqueue,
         IPCSCOPE_CALL_MQUEUE, false, "mqueue_send_enter_twin"},
        {"mqueue send (exit)", "mqueue_send_exit", "fexit", {"do_mq_timedsend"}, kMqueue, 0,
         false, "mqueue_send_exit_twin"},
        {"mqueue receive (entry)", "mqueue_receive_enter", "fentry", {"do_mq_timedreceive"},
         kMqueue, IPCSCOPE_CALL_MQUEUE, false, "mqueue_receive_enter_twin"},
        {"mqueue receive (exit)", "mqueue_receive_exit", "fexit", {"do_mq_timedreceive"},
         kMqueue, 0, false, "mqueue_receive_exit_twin"},
        {"unix stream send (entry)", "unix_stream_send_enter", "fentry", stream_send, kUnix,
         IPCSCOPE_CALL_UNIX, false, "unix_stream_send_enter_twin"},
        {"unix stream send (exit)", "unix_stream_send_exit", "fexit", stream_send, kUnix, 0, false,
         "unix_stream_send_exit_twin"},
        {"unix stream send (entry)", "unix_sendpage_enter", "fentry", sendpage, kUnix,
         IPCSCOPE_CALL_UNIX, false, "unix_sendpage_enter_twin"},
        {"unix stream send (exit)", "unix_sendpage_exit", "fexit", sendpage, kUnix, 0, false,
         "unix_sendpage_exit_twin"},
        {"unix dgram send (entry)", "unix_dgram_send_enter", "fentry", dgram_send, kUnix,
         IPCSCOPE_CALL_UNIX, false, "unix_dgram_send_enter_twin"},
        {"unix dgram send (exit)", "unix_dgram_send_exit", "fexit", dgram_send, kUnix, 0, false,
         "unix_dgram_send_exit_twin"},
        {"unix stream receive (entry)", "unix_stream_receive_enter", "fentry", stream_receive, kUnix,
         IPCSCOPE_CALL_UNIX, false, "unix_stream_receive_enter_twin"},
        {"unix stream receive (exit)", "unix_stream_receive_exit", "fexit", stream_receive, kUnix, 0, false,
         "unix_stream_receive_exit_twin"},
        {"unix dgram receive (entry)", "unix_dgram_receive_enter", "fentry", dgram_receive, kUnix,
         IPCSCOPE_CALL_UNIX, false, "unix_dgram_receive_enter_twin"},
        {"unix dgram receive (exit)", "unix_dgram_receive_exit", "fexit", dgram_receive, kUnix, 0, false,
         "unix_dgram_receive_exit_twin"},
        {"unix dgram receive (entry)", "unix_dgram_recvmsg_enter", "fentry", dgram_recvmsg, kUnix,
         IPCSCOPE_CALL_UNIX, false, "unix_dgram_recvmsg_enter_twin", HookUse::always,
         dgram_receive.front()},
        {"unix dgram receive (exit)", "unix_dgram_recvmsg_exit", "fexit", dgram_recvmsg, kUnix, 0, false,
         "unix_dgram_recvmsg_exit_twin", HookUse::always,
         dgram_receive.front()},
        {"unix connect (entry)", "unix_connect_enter", "fentry", connect, kUnix,
         IPCSCOPE_CALL_UNIX, false, "unix_connect_enter_twin"},
        {"unix connect (exit)", "unix_connect_exit", "fexit", connect, kUnix, 0, false,
         "unix_connect_exit_twin"},
        {"unix accept (entry)", "unix_accept_enter", "fentry", accept, kUnix,
         IPCSCOPE_CALL_UNIX, false, "unix_accept_enter_twin"},
        {"unix accept (exit)", "unix_accept_exit", "fexit", accept, kUnix, 0, false,
         "unix_accept_exit_twin"},
        {"unix fds received", "unix_fds_received", "fentry", {"scm_detach_fds"}, kUnix, 0, false,
         "unix_fds_received_twin", HookUse::records},
        {"unix fd received", "unix_fd_received", "fexit",
         {"__receive_fd", "scm_recv_one_fd", "receive_fd"}, kUnix,
         IPCSCOPE_FD_RECEIVED, false, {}, HookUse::records, {}, "file,3"},
        {"unix fd received", "unix_fd_received_notrunc", "fexit", {"scm_recv_one_fd"}, kUnix,
         IPCSCOPE_FD_RECEIVED, false, {}, HookUse::records, {}, "file,4"},
        {"unix fd received", "unix_fd_received_old", "fexit", {"__receive_fd"}, kUnix,
         IPCSCOPE_FD_RECEIVED, false, {}, HookUse::records, {}, "4"},
        {"handler set up", "handler_set_up", "fentry", {"signal_setup_done"}, kHandlers,
         IPCSCOPE_SIGNAL_HANDLER, false, "handler_set_up_twin", HookUse::records},
        {"handler returns", "handler_returns", "fentry", {"restore_sigcontext"}, kHandlers, 0,
         false, "handler_returns_twin", HookUse::records},
        {"mask of signals", "mask_changes", "fentry", {"__set_task_blocked"}, kHandlers,
         IPCSCOPE_SIGNAL_MASK, false, {}, HookUse::records},
    };
    return hooks;
}

/// What a pointer's struct is called; empty: it is none.
std::string_view pointee(const ::btf* btf, __u32 id)
{
    const btf_type* type = btf__type_by_id(btf, id);
    if (!btf_is_ptr(type)) {
        return {};
    }
    type = btf__type_by_id(btf, type->type);
    return btf_is_struct(type) ? btf__name_by_offset(btf, type->name_off) : "";
}

/// As Hook::shape.
std::string shape_of(const ::btf* btf, const btf_type* function)
{
    const btf_type* proto = btf__type_by_id(btf, function->type);
    const unsigned count = btf_vlen(proto);
    const std::string_view first = count > 0 ? pointee(btf, btf_params(proto)[0].type) : "";
    return fmt::format("{}{}", first == "task_struct" ? "task," : first == "file" ? "file," : "",
                       count);
}

/// Ids of what the hooks name, by one pass over the kernel's BTF: it has no index, and
/// each search by name is a pass.
class Ids {
public:
    explicit Ids(const ::btf* btf)
    {
        for (const Hook& hook : table()) {
            for (std::string_view target : hook.targets) {
                functions_.try_emplace(target, 0);
                tracepoints_.try_emplace(target, 0);
            }
            functions_.try_emplace(hook.unless, 0);
        }
        for (__u32 id = 1; id < btf__type_cnt(btf); ++id) {
            const btf_type* type = btf__type_by_id(btf, id);
            if (btf_is_func(type)) {
                note(functions_, btf__name_by_offset(btf, type->name_off), id);
            } else if (btf_is_typedef(type)) {
                const std::string_view name = btf__name_by_offset(btf, type->name_off);
                if (name.starts_with(kTracepoint)) {
                    note(tracepoints_, name.substr(kTracepoint.size()), id);
                }
            }
        }
    }

    /// 0: there is none.
    __u32 function(std::string_view name) const { return functions_.at(name); }
    __u32 tracepoint(std::string_view name) const { return tracepoints_.at(name); }

private:
    static constexpr std::string_view kTracepoint = "btf_trace_";
    using Map = std::unordered_map<std::string_view, __u32>;

    static void note(Map& ids, std::string_view name, __u32 id)
    {
        const auto at = ids.find(name);
        if (at != ids.end() && at->second == 0) {
            at->second = id;
        }
    }

    Map functions_, tracepoints_;
};

/// Asks the kernel: a function of its BTF can still be absent from its text,
/// inlined or split by the compiler, and then it takes no program.
class Presence {
public:
    /// 0, -ENOENT, or what the load of an empty program failed with.
    int of(__u32 id)
    {
        const auto [at, is_new] = known_.try_emplace(id, 0);
        if (is_new) {
            at->second = load_empty(id);
        }
        return at->second;
    }

private:
    static int load_empty(__u32 id)
    {
        const bpf_insn code[] = {
            {BPF_ALU64 | BPF_MOV | BPF_K, BPF_REG_0, 0, 0, 0},
            {BPF_JMP | BPF_EXIT, 0, 0, 0, 0},
        };
        LIBBPF_OPTS(bpf_prog_load_opts, options, .expected_attach_type = BPF_TRACE_FENTRY,
                    .attach_btf_id = id);
        const Fd program(bpf_prog_load(BPF_PROG_TYPE_TRACING, "ipcscope_try", "GPL", code,
                                       std::size(code), &options));
        return program.get() >= 0 ? 0 : -errno;
    }

    std::map<__u32, int> known_;   ///< by id in the kernel's BTF
};

Result<Placement> place_function(const ::btf* btf, const Ids& ids, const Hook& hook,
                                 Presence& presence)
{
    Placement placement{&hook, {}, {}};
    if (!hook.unless.empty() && ids.function(hook.unless) != 0) {
        placement.why = fmt::format("{} is there", hook.unless);
        return placement;
    }
    for (std::string_view target : hook.targets) {
        const __u32 id = ids.function(target);
        if (id == 0) {
            placement.why = fmt::format("no function {} in the kernel's BTF", target);
            continue;
        }
        if (!hook.shape.empty() && shape_of(btf, btf__type_by_id(btf, id)) != hook.shape) {
            placement.why = fmt::format("{} has other arguments", target);
            continue;
        }
        const int error = presence.of(id);
        if (error == 0) {
            return Placement{&hook, std::string(target), {}, id};
        }
        if (error != -ENOENT) {
            return tl::unexpected<Error>(load_error(error, {}));
        }
        placement.why = fmt::format("{} is inlined or split in this kernel", target);
    }
    return placement;
}

bool is_needed(const Hook& hook, const Wanted& wanted)
{
    if ((hook.families & wanted.families) == 0) {
        return false;
    }
    switch (hook.use) {
    case HookUse::always: return true;
    case HookUse::records: return !wanted.stat;
    case HookUse::follow: return !wanted.stat || wanted.follow;
    }
    return true;
}

Placement place_tracepoint(const Ids& ids, const Hook& hook)
{
    const std::string_view target = hook.targets.front();
    const __u32 id = ids.tracepoint(target);
    if (id == 0) {
        return {&hook, {}, fmt::format("no tracepoint {}", target)};
    }
    return {&hook, std::string(target), {}, id};
}

/// libbpf finds its id.
Placement place_iterator(const ::btf* btf, const Hook& hook)
{
    const std::string_view target = hook.targets.front();
    if (btf__find_by_name_kind(btf, fmt::format("bpf_iter__{}", target).c_str(),
                               BTF_KIND_STRUCT) < 0) {
        return {&hook, {}, fmt::format("no iterator {}", target)};
    }
    return {&hook, std::string(target), {}};
}

}  // namespace

std::span<const Hook> hooks()
{
    return table();
}

Result<std::vector<Placement>> place(const ::btf* btf, const Wanted& wanted)
{
    const Ids ids(btf);
    Presence presence;
    std::vector<Placement> placements;
    for (const Hook& hook : table()) {
        if (!is_needed(hook, wanted)) {
            continue;
        }
        if (hook.mechanism == "iter") {
            placements.push_back(place_iterator(btf, hook));
        } else if (hook.mechanism == "tp_btf") {
            placements.push_back(place_tracepoint(ids, hook));
        } else {
            auto placed = place_function(btf, ids, hook, presence);
            if (!placed) {
                return tl::unexpected<Error>(placed.error());
            }
            placements.push_back(std::move(*placed));
        }
    }
    return placements;
}

}  // namespace ipcscope::source::bpf
