// SPDX-License-Identifier: GPL-2.0-only
#include "source/bpf/tracer.hpp"

#include <algorithm>
#include <bit>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <thread>

#include <linux/membarrier.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <fmt/format.h>

#include "config.h"
#include "ipcscope.skel.h"
#include "source/bpf/log.hpp"

namespace ipcscope::source::bpf {
namespace {

constexpr auto kGrace = std::chrono::milliseconds(100);

struct FreeBtf {
    void operator()(::btf* btf) const { btf__free(btf); }
};
using KernelBtf = std::unique_ptr<::btf, FreeBtf>;

bool wanted(const Hook& hook, const Options& options)
{
    return std::ranges::any_of(hook.families, [&](Family family) {
        switch (family) {
        case Family::signals: return options.signals;
        case Family::pipes: return options.pipes;
        case Family::kills: return options.kills;
        }
        return false;
    });
}

/// Whether this kernel can preempt a program: CONFIG_PREEMPT in any of its forms.
bool preemptible()
{
    utsname names{};
    uname(&names);
    return std::string_view(names.version).find("PREEMPT") != std::string_view::npos;
}

Error load_error(int error, const LogCapture& log)
{
    if (error == -EPERM || error == -EACCES) {
        return {Exit::permission,
                "loading the BPF programs is not permitted: run as root (or with CAP_BPF and "
                "CAP_PERFMON), and see that no lockdown or seccomp filter forbids bpf(2)"};
    }
    return {Exit::kernel,
            fmt::format("this kernel does not take the BPF programs ({}): {}; "
                        "ipcscope doctor tells what it lacks",
                        std::strerror(-error), log.tail(1))};
}

}  // namespace

void Tracer::CloseObject::operator()(bpf_object* object) const
{
    bpf_object__close(object);
}

void Tracer::DestroyLink::operator()(bpf_link* link) const
{
    bpf_link__destroy(link);
}

Tracer::~Tracer() = default;

bpf_map* Tracer::map(const char* name) const
{
    return bpf_object__find_map_by_name(object_.get(), name);
}

Result<std::unique_ptr<Tracer>> Tracer::attach(const Options& options)
{
    const auto selection = select(options);
    if (!selection) {
        return tl::unexpected<Error>(selection.error());
    }
    LogCapture log;
    const KernelBtf kernel(btf__load_vmlinux_btf());
    if (!kernel) {
        return fail(Exit::kernel,
                    "this kernel has no BTF (/sys/kernel/btf/vmlinux): boot one that is built "
                    "with CONFIG_DEBUG_INFO_BTF=y");
    }
    std::unique_ptr<Tracer> tracer(new Tracer);
    auto done = tracer->open()
                    .and_then([&] { return tracer->place_programs(*kernel, options); })
                    .and_then([&] { return tracer->configure(options, *selection); });
    if (done) {
        if (const int error = bpf_object__load(tracer->object_.get())) {
            done = tl::unexpected<Error>(load_error(error, log));
        }
    }
    done = done.and_then([&] { return tracer->make_rings(options.ring_bytes); })
               .and_then([&] { return tracer->fill_filters(*selection); })
               .and_then([&] { return tracer->attach_programs(); });
    if (!done) {
        return tl::unexpected<Error>(done.error());
    }
    return tracer;
}

Result<void> Tracer::open()
{
    std::size_t size = 0;
    const void* elf = ipcscope_bpf__elf_bytes(&size);
    LIBBPF_OPTS(bpf_object_open_opts, options, .object_name = "ipcscope");
    object_.reset(bpf_object__open_mem(elf, size, &options));
    if (!object_) {
        return fail(Exit::kernel, fmt::format("the built-in BPF object cannot be opened: {}",
                                              std::strerror(errno)));
    }
    return {};
}

/// Switches a program on or off and, if it is no tracepoint's, aims it.
bpf_program* Tracer::prepare(std::string_view name, std::string_view target, bool use)
{
    bpf_program* program =
        bpf_object__find_program_by_name(object_.get(), std::string(name).c_str());
    if (program) {
        bpf_program__set_autoload(program, use);
        if (use && !target.empty()) {
            bpf_program__set_attach_target(program, 0, std::string(target).c_str());
        }
    }
    return program;
}

Result<void> Tracer::place_programs(const ::btf& kernel, const Options& options)
{
    twins_ = preemptible();
    for (const Placement& place : place(&kernel)) {
        const Hook& hook = *place.hook;
        const bool asked = wanted(hook, options);
        const bool use = asked && !place.target.empty();
        const std::string aim = hook.mechanism == "tp_btf" ? "" : place.target;
        bpf_program* program = prepare(hook.program, aim, use);
        bpf_program* twin =
            hook.twin.empty() ? nullptr : prepare(hook.twin, aim, use && twins_);
        if (!program || (!hook.twin.empty() && !twin)) {
            return fail(Exit::kernel, fmt::format("the BPF object lacks {}", hook.program));
        }
        if (!asked) {
            continue;
        }
        if (!use && hook.required) {
            return fail(Exit::kernel,
                        fmt::format("cannot hook \"{}\": {}", hook.name, place.why));
        }
        if (use) {
            placed_.push_back({program, twins_ ? twin : nullptr, hook.kind, status_.size()});
        }
        status_.push_back({std::string(hook.name), std::string(hook.mechanism), place.target,
                           place.why, hook.required, false, hook.families});
    }
    return {};
}

Result<void> Tracer::configure(const Options& options, const Selection& selection)
{
    ipcscope_config config{};
    config.signal_mask = selection.signal_mask;
    config.self_tgid = static_cast<__u32>(getpid());
    config.wakeup_bytes = static_cast<__u32>(options.ring_bytes / 4);
    config.filter_tgid = selection.must(IPCSCOPE_FILTER_TGID);
    config.filter_tid = selection.must(IPCSCOPE_FILTER_TID);
    config.filter_comm = selection.must(IPCSCOPE_FILTER_COMM);
    config.filter_cgroup = selection.must(IPCSCOPE_FILTER_CGROUP);
    config.follow = static_cast<__u8>(selection.follow);
    config.twins = twins_;
    bpf_map__set_initial_value(map(".rodata.config"), &config, sizeof config);

    const int cpus = libbpf_num_possible_cpus();
    if (cpus <= 0) {
        return fail(Exit::kernel, "the number of CPUs cannot be read from /sys");
    }
    rings_.resize(static_cast<std::size_t>(cpus));
    bpf_map__set_max_entries(map("rings"), static_cast<__u32>(cpus));
    bpf_map__set_max_entries(map("calls"), options.max_calls);
    return {};
}

Result<void> Tracer::make_rings(std::size_t bytes)
{
    const std::size_t size = std::bit_ceil(
        std::max(bytes, static_cast<std::size_t>(sysconf(_SC_PAGESIZE))));
    for (__u32 cpu = 0; cpu < rings_.size(); cpu++) {
        rings_[cpu].reset(bpf_map_create(BPF_MAP_TYPE_RINGBUF, "ring", 0, 0,
                                         static_cast<__u32>(size), nullptr));
        const int ring = rings_[cpu].get();
        if (ring < 0 || bpf_map_update_elem(bpf_map__fd(map("rings")), &cpu, &ring, BPF_ANY)) {
            return fail(Exit::kernel,
                        fmt::format("no ring of {} bytes for CPU {}: {}; try a smaller "
                                    "--ring-size",
                                    size, cpu, std::strerror(errno)));
        }
    }
    return {};
}

Result<void> Tracer::fill_filters(const Selection& selection)
{
    const __u8 yes = 1;
    const auto add = [&](const char* name, const void* key) {
        return bpf_map_update_elem(bpf_map__fd(map(name)), key, &yes, BPF_ANY) == 0;
    };
    bool ok = true;
    for (__u32 pid : selection.tgids) {
        ok &= add("filter_tgids", &pid);
    }
    for (__u32 tid : selection.tids) {
        ok &= add("filter_tids", &tid);
    }
    for (const std::string& comm : selection.comms) {
        ipcscope_comm key{};
        std::memcpy(key.name, comm.data(), std::min(comm.size(), sizeof key.name - 1));
        ok &= add("filter_comms", &key);
    }
    for (__u64 id : selection.cgroups) {
        ok &= add("filter_cgroups", &id);
    }
    if (selection.command != 0) {
        ok &= add("followed", &selection.command);
    }
    if (!ok) {
        return fail(Exit::usage, "too many filters: at most 65536 pids and 256 names");
    }
    return {};
}

Result<void> Tracer::attach_programs()
{
    // Exits before entries, so that no entry waits for an exit that nobody sees.
    std::ranges::stable_partition(placed_, [&](const Placed& placed) {
        return status_[placed.status].mechanism != "fentry";
    });
    for (const Placed& placed : placed_) {
        HookStatus& hook = status_[placed.status];
        hook.attached = true;
        for (bpf_program* program : {placed.program, placed.twin}) {
            bpf_link* link = program ? bpf_program__attach(program) : nullptr;
            if (link) {
                links_.emplace_back(link);
            } else if (program) {
                hook.attached = false;
                hook.why = fmt::format("attaching failed: {}", std::strerror(errno));
            }
        }
        if (!hook.attached && hook.required) {
            return fail(errno == EPERM ? Exit::permission : Exit::kernel,
                        fmt::format("cannot hook \"{}\" at {}: {}", hook.name, hook.target,
                                    hook.why));
        }
    }
    return {};
}

void Tracer::detach()
{
    // A link goes some time after it is closed (bpf_link_put_deferred), so the
    // programs are told to stop first.  They run under RCU: after a grace
    // period none is left that had not heard it.
    const __u32 zero = 0, stop = 1;
    bpf_map_update_elem(bpf_map__fd(map(".bss")), &zero, &stop, BPF_ANY);
    if (syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0) != 0) {
        std::this_thread::sleep_for(kGrace);   // nohz_full has no such barrier
    }
    links_.clear();
}

Ledger Tracer::ledger() const
{
    Ledger ledger(rings_.size());
    const __u32 zero = 0;
    static_assert(sizeof(ipcscope_ledger) % 8 == 0, "per-CPU values are padded to 8");
    bpf_map_lookup_elem(bpf_map__fd(map("ledgers")), &zero, ledger.data());
    add_skipped(ledger);
    return ledger;
}

/// Runs that the kernel skipped because the program was running already on
/// that CPU.  It tells the sum over all CPUs only: booked on CPU 0.
void Tracer::add_skipped(Ledger& ledger) const
{
    std::vector<ipcscope_entries> entries(rings_.size());
    const __u32 zero = 0;
    bpf_map_lookup_elem(bpf_map__fd(map("entries")), &zero, entries.data());
    for (const Placed& placed : placed_) {
        bpf_prog_info info{};
        __u32 size = sizeof info;
        if (placed.kind == 0 ||
            bpf_obj_get_info_by_fd(bpf_program__fd(placed.program), &info, &size) != 0) {
            continue;
        }
        auto skipped = static_cast<std::int64_t>(info.recursion_misses);
        // With a twin most of them were not lost: see bpf/call.bpf.h.  While
        // calls are under way the counts are not of one instant.
        for (const ipcscope_entries& cpu : entries) {
            skipped += placed.twin ? static_cast<std::int64_t>(cpu.wanted[placed.kind] -
                                                               cpu.entered[placed.kind])
                                   : 0;
        }
        const auto lost = static_cast<__u64>(std::max<std::int64_t>(skipped, 0));
        ledger[0].kind[placed.kind].lost[IPCSCOPE_LOST_RECURSION] += lost;
        ledger[0].lost += lost;
    }
}

void Tracer::unfinished(
    const std::function<void(std::uint32_t, const ipcscope_call&)>& visit) const
{
    const int fd = bpf_map__fd(map("calls"));
    __u32 tid = 0;
    const __u32* previous = nullptr;
    while (bpf_map_get_next_key(fd, previous, &tid) == 0) {
        ipcscope_call call{};
        if (bpf_map_lookup_elem(fd, &tid, &call) == 0) {
            visit(tid, call);
        }
        previous = &tid;
    }
}

}  // namespace ipcscope::source::bpf
