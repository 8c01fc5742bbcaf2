// SPDX-License-Identifier: GPL-2.0-only
#include "source/bpf/tracer.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <thread>

#include <fcntl.h>
#include <linux/membarrier.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <fmt/format.h>

#include "base/clock.hpp"
#include "config.h"
#include "source/bpf/core_types.hpp"
#include "source/bpf/load_error.hpp"
#include "source/bpf/log.hpp"
#include "source/bpf/object.hpp"
#include "source/bpf/map_batch.hpp"
#include "source/bpf/target.hpp"
#include "source/bpf/unfinished.hpp"

namespace ipcscope::source::bpf {
namespace {

constexpr auto kGrace = std::chrono::milliseconds(100);
constexpr std::uint32_t kSendingTasks = 4096;   // at once, on PREEMPT_RT

struct FreeBtf {
    void operator()(::btf* btf) const { btf__free(btf); }
};
using KernelBtf = std::unique_ptr<::btf, FreeBtf>;

/// "none integrity [confidentiality]"
std::string lockdown()
{
    std::ifstream file("/sys/kernel/security/lockdown");
    std::string levels;
    std::getline(file, levels);
    return levels;
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
        // libbpf has looked at other places since.
        const Fd file(::open("/sys/kernel/btf/vmlinux", O_RDONLY | O_CLOEXEC));
        return tl::unexpected<Error>(btf_error(file ? 0 : errno));
    }
    const auto traits = kernel_traits(kernel.get());
    if (!traits) {
        return tl::unexpected<Error>(traits.error());
    }
    const CoreTypes types;
    std::unique_ptr<Tracer> tracer(new Tracer);
    tracer->traits_ = *traits;
    auto done = tracer->open(options, types)
                    .and_then([&] { return tracer->place_programs(*kernel, options); })
                    .and_then([&] { return tracer->configure(options, *selection); })
                    .and_then([&] { return tracer->check_open_files(); })
                    .and_then([&] { return tracer->fill(types, *kernel); });
    if (done) {
        if (const int error = bpf_object__load(tracer->object_.get())) {
            done = tl::unexpected<Error>(load_error(error, log.text(), lockdown()));
        }
    }
    done = done.and_then([&] {
                   return options.stat ? tracer->fill_free_rows(options.stat->max_rows)
                                       : tracer->make_rings(options.ring_bytes);
               })
               .and_then([&] { return tracer->fill_filters(*selection); })
               .and_then([&] { return tracer->attach_programs(); });
    if (!done) {
        return tl::unexpected<Error>(done.error());
    }
    return tracer;
}

Result<void> Tracer::open(const Options& trace, const CoreTypes& types)
{
    const auto elf = built_in_object(trace.stat.has_value());
    LIBBPF_OPTS(bpf_object_open_opts, options, .object_name = "ipcscope",
                .btf_custom_path = types.path());
    if (register_targets()) {
        object_.reset(bpf_object__open_mem(elf.data(), elf.size(), &options));
    }
    if (!object_) {
        return fail(Exit::kernel, fmt::format("the built-in BPF object cannot be opened: {}",
                                              std::strerror(errno)));
    }
    return {};
}

Result<void> Tracer::fill(const CoreTypes& types, const ::btf& kernel) const
{
    if (!types.fill(kernel, *bpf_object__btf(object_.get()))) {
        return fail(Exit::kernel, fmt::format("the kernel's types cannot be copied: {}",
                                              std::strerror(errno)));
    }
    return {};
}

void Tracer::switch_off_all()
{
    bpf_program* program = nullptr;
    bpf_object__for_each_program(program, object_.get()) {
        bpf_program__set_autoload(program, false);
    }
}

/// Switches a program on and, if its target is known, aims it (see target.hpp).
bpf_program* Tracer::prepare(std::string_view name, const Placement& place, bool use)
{
    bpf_program* program =
        bpf_object__find_program_by_name(object_.get(), std::string(name).c_str());
    if (program && use) {
        bpf_program__set_autoload(program, true);
        if (place.id != 0) {
            set_target(program, place.id);
        }
    }
    return program;
}

Result<void> Tracer::place_programs(const ::btf& kernel, const Options& options)
{
    const auto placements =
        place(&kernel, {options.families, options.stat.has_value(),
                        options.filters.follow || options.command_pid != 0});
    if (!placements) {
        return tl::unexpected<Error>(placements.error());
    }
    const bool twins = traits_.preempts_programs;
    switch_off_all();
    for (const Placement& place : *placements) {
        const Hook& hook = *place.hook;
        const bool use = !place.target.empty();
        bpf_program* program = prepare(hook.program, place, use);
        bpf_program* twin =
            hook.twin.empty() ? nullptr : prepare(hook.twin, place, use && twins);
        if (!program || (!hook.twin.empty() && !twin)) {
            return fail(Exit::kernel, fmt::format("the BPF object lacks {}", hook.program));
        }
        if (!use && hook.required) {
            return fail(Exit::kernel,
                        fmt::format("cannot hook \"{}\": {}", hook.name, place.why));
        }
        if (use) {
            placed_.push_back({program, twins ? twin : nullptr, hook.kind, status_.size()});
        }
        status_.push_back({std::string(hook.name), std::string(hook.mechanism), place.target,
                           place.why, hook.required, false, hook.families});
    }
    return {};
}

/// A few names are constants of the programs; more are in a map.
static void configure_comms(ipcscope_config& config, const std::vector<std::string>& comms)
{
    config.comm_count = static_cast<__u32>(comms.size());
    if (comms.size() > IPCSCOPE_COMM_FILTERS) {
        return;
    }
    for (std::size_t i = 0; i < comms.size(); ++i) {
        ipcscope_comm_filter& filter = config.comms[i];
        const std::size_t length = std::min<std::size_t>(comms[i].size(), IPCSCOPE_COMM_LEN - 1);
        std::memcpy(filter.name, comms[i].data(), length);
        std::memset(filter.mask, 0xff, length + 1);   // the NUL after it as well
    }
}

Result<void> Tracer::configure(const Options& options, const Selection& selection)
{
    const int cpus = libbpf_num_possible_cpus();
    if (cpus <= 0) {
        return fail(Exit::kernel, "the number of CPUs cannot be read from /sys");
    }
    rings_.resize(static_cast<std::size_t>(cpus));
    ipcscope_config config{};
    config.signal_mask = selection.signal_mask;
    config.self_tgid = static_cast<__u32>(getpid());
    config.wakeup_bytes = static_cast<__u32>(options.ring_bytes / 4);
    config.filter_tgid = selection.must(IPCSCOPE_FILTER_TGID);
    config.filter_tid = selection.must(IPCSCOPE_FILTER_TID);
    config.filter_comm = selection.must(IPCSCOPE_FILTER_COMM);
    config.filter_cgroup = selection.must(IPCSCOPE_FILTER_CGROUP);
    const bool named = config.filter_comm != 0 || config.filter_cgroup != 0;
    config.follow = static_cast<__u8>(
        selection.follow |
        (selection.follow == IPCSCOPE_FOLLOW_COMMAND && named ? IPCSCOPE_FOLLOW_NAMED : 0));
    config.fatal_only = (options.families & IPCSCOPE_FAMILY_SIGNALS) == 0;
    config.private_futexes = (options.families & IPCSCOPE_FAMILY_FUTEX_ALL) != 0;
    config.twins = traits_.preempts_programs;
    config.send_by_task = traits_.realtime;
    config.switch_prev_state = traits_.switch_prev_state;
    buckets_ = std::bit_ceil(std::max(options.max_threads / IPCSCOPE_BUCKET_SLOTS, 1u));
    config.bucket_mask = buckets_ - 1;
    configure_comms(config, selection.comms);
    if (options.stat) {
        configure_stat(config, *options.stat);
    }
    bpf_map__set_initial_value(map(".rodata.config"), &config, sizeof config);
    for (const char* name : {"rings", "ledgers", "sends"}) {
        bpf_map__set_max_entries(map(name), static_cast<__u32>(cpus));
    }
    bpf_map__set_max_entries(map("task_sends"), traits_.realtime ? kSendingTasks : 1);
    bpf_map__set_max_entries(map("threads"), options.max_threads);
    bpf_map__set_max_entries(map("buckets"), buckets_);
    bpf_map__set_max_entries(map("states"), buckets_ * IPCSCOPE_BUCKET_SLOTS);
    const bool handlers = (options.families & IPCSCOPE_FAMILY_HANDLERS) != 0;
    bpf_map__set_max_entries(map("handlers"), handlers ? buckets_ * IPCSCOPE_BUCKET_SLOTS : 1);
    const bool ids = config.filter_tgid || config.filter_tid || config.follow;
    bpf_map__set_max_entries(map("pids"), ids ? IPCSCOPE_PID_BLOCKS : 1);
    return {};
}

/// libbpf takes a probe that fails for want of a descriptor for a feature that the
/// kernel lacks, and then reports something else.
Result<void> Tracer::check_open_files() const
{
    constexpr std::size_t kMaps = 24, kSpare = 16;
    rlimit limit{};
    std::error_code none;
    const auto open = std::distance(std::filesystem::directory_iterator("/proc/self/fd", none), {});
    // A program and its link, twice where it has a twin; a ring and its reader.
    const std::size_t needed = static_cast<std::size_t>(open) + kMaps + kSpare +
                               4 * placed_.size() + 2 * rings_.size();
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < needed) {
        return fail(Exit::kernel,
                    fmt::format("too many open files: the BPF programs need {0}, the limit is {1}: "
                                "ulimit -n {0}",
                                needed, limit.rlim_cur));
    }
    return {};
}

Result<void> Tracer::make_rings(std::size_t bytes)
{
    const std::size_t size = std::bit_ceil(
        std::max(bytes, static_cast<std::size_t>(sysconf(_SC_PAGESIZE))));
    for (__u32 cpu = 0; cpu < rings_.size(); ++cpu) {
        rings_[cpu].reset(bpf_map_create(BPF_MAP_TYPE_RINGBUF, "ring", 0, 0,
                                         static_cast<__u32>(size), nullptr));
        const int ring = rings_[cpu].get();
        if (ring >= 0 && bpf_map_update_elem(bpf_map__fd(map("rings")), &cpu, &ring, BPF_ANY) == 0) {
            continue;
        }
        if (errno == EMFILE) {
            return tl::unexpected<Error>(load_error(-EMFILE, {}));
        }
        return fail(Exit::kernel,
                    fmt::format("no ring of {} bytes for CPU {}: {}; try a smaller --ring-size",
                                size, cpu, std::strerror(errno)));
    }
    return {};
}

Result<void> Tracer::fill_filters(const Selection& selection)
{
    const __u8 yes = 1;
    const auto add = [&](const char* name, const void* key) {
        return bpf_map_update_elem(bpf_map__fd(map(name)), key, &yes, BPF_ANY) == 0;
    };
    const auto add_id = [&](__u32 id, __u8 flag) {
        const int fd = bpf_map__fd(map("pids"));
        const __u32 block = id / IPCSCOPE_PID_BLOCK;
        std::array<__u8, IPCSCOPE_PID_BLOCK> flags{};
        if (bpf_map_lookup_elem(fd, &block, flags.data()) != 0) {
            return;   // no kernel has such an id
        }
        flags[id % IPCSCOPE_PID_BLOCK] |= flag;
        bpf_map_update_elem(fd, &block, flags.data(), BPF_ANY);
    };
    bool ok = true;
    for (__u32 pid : selection.tgids) {
        add_id(pid, IPCSCOPE_PID_TGID);
    }
    for (__u32 tid : selection.tids) {
        add_id(tid, IPCSCOPE_PID_TID);
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
        add_id(selection.command, IPCSCOPE_PID_FOLLOWED);
    }
    if (!ok) {
        return fail(Exit::usage, "too many filters: at most 256 names and 256 cgroups");
    }
    return {};
}

Result<void> Tracer::attach_hook(const Placed& placed)
{
    HookStatus& hook = status_[placed.status];
    int error = 0;
    for (bpf_program* program : {placed.program, placed.twin}) {
        if (!program) {
            continue;
        }
        bpf_link* link = bpf_program__attach(program);
        if (!link) {
            error = errno;
            continue;
        }
        links_.emplace_back(link);
        if (hook.mechanism == "iter") {
            sweep_ = link;
        }
    }
    hook.attached = error == 0;
    if (error == 0) {
        return {};
    }
    hook.why = fmt::format("attaching failed: {}", std::strerror(error));
    if (error == EMFILE) {
        return tl::unexpected<Error>(load_error(-EMFILE, {}));
    }
    if (hook.required) {
        return fail(error == EPERM ? Exit::permission : Exit::kernel,
                    fmt::format("cannot hook \"{}\" at {}: {}", hook.name, hook.target, hook.why));
    }
    return {};
}

Result<void> Tracer::attach_programs()
{
    Result<void> done;
    for (const Placed& placed : placed_) {
        done = done.and_then([&] { return attach_hook(placed); });
    }
    return done;
}

void Tracer::set_phase(std::uint32_t phase) const
{
    const __u32 zero = 0;
    bpf_map_update_elem(bpf_map__fd(map(".bss")), &zero, &phase, BPF_ANY);
}

/// Runs the iterator's program for each thread of the machine.
Result<void> Tracer::sweep()
{
    const Fd iterator(bpf_iter_create(bpf_link__fd(sweep_)));
    std::array<char, 64> none{};
    ssize_t length = iterator.get() < 0 ? -1 : 0;
    do {
        if (length < 0) {
            return fail(Exit::kernel, fmt::format("the threads cannot be listed: {}",
                                                  std::strerror(errno)));
        }
        length = read(iterator.get(), none.data(), none.size());
    } while (length != 0);
    return {};
}

Result<void> Tracer::arm()
{
    start_ns_ = monotonic_ns();
    set_phase(IPCSCOPE_PHASE_ARMED);
    return sweep_ ? sweep() : Result<void>{};
}

void Tracer::detach()
{
    // A link goes some time after it is closed (bpf_link_put_deferred), so the
    // programs are stopped first.  They run under RCU: after a grace period none
    // is left that had not seen the flag.
    set_phase(IPCSCOPE_PHASE_STOPPED);
    stop_ns_ = monotonic_ns();
    if (syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0) != 0) {
        std::this_thread::sleep_for(kGrace);   // nohz_full has no such barrier
    }
    sweep_ = nullptr;
    links_.clear();
}

Ledger Tracer::ledger() const
{
    // As in bpf/maps.bpf.h.
    struct CpuLedger {
        ipcscope_ledger ledger;
        __u64 written_bytes;
        __u64 pad[6];
    };
    Ledger ledger(rings_.size());
    const int fd = bpf_map__fd(map("ledgers"));
    for (__u32 cpu = 0; cpu < ledger.size(); ++cpu) {
        CpuLedger slot{};
        bpf_map_lookup_elem(fd, &cpu, &slot);
        ledger[cpu] = slot.ledger;
    }
    add_skipped(ledger);
    return ledger;
}

/// Runs that the kernel skipped because the program was running already on
/// that CPU.  It gives the sum over all CPUs only: booked on CPU 0.
void Tracer::add_skipped(Ledger& ledger) const
{
    std::array<std::int64_t, IPCSCOPE_KIND_COUNT> skipped{};
    for (const Placed& placed : placed_) {
        bpf_prog_info info{};
        __u32 size = sizeof info;
        if (placed.kind != 0 &&
            bpf_obj_get_info_by_fd(bpf_program__fd(placed.program), &info, &size) == 0) {
            skipped[placed.kind] += static_cast<std::int64_t>(info.recursion_misses);
        }
    }
    std::vector<ipcscope_entries> entries(traits_.preempts_programs ? rings_.size() : 0);
    const __u32 zero = 0;
    if (!entries.empty()) {
        bpf_map_lookup_elem(bpf_map__fd(map("entries")), &zero, entries.data());
    }
    for (unsigned kind = 0; kind < IPCSCOPE_KIND_COUNT; ++kind) {
        // With a twin most of them were not lost: see bpf/call.bpf.h.  While
        // calls are under way the counts are not of one instant.
        std::int64_t unwanted = 0;   // seen by the second twin only
        for (const ipcscope_entries& cpu : entries) {
            skipped[kind] += static_cast<std::int64_t>(cpu.wanted[kind] - cpu.entered[kind]);
            unwanted += static_cast<std::int64_t>(cpu.unwanted[kind][1] - cpu.unwanted[kind][0]);
        }
        unwanted = std::clamp<std::int64_t>(unwanted, 0, std::max<std::int64_t>(skipped[kind], 0));
        const auto lost =
            static_cast<__u64>(std::max<std::int64_t>(skipped[kind] - unwanted, 0));
        ledger[0].kind[kind].filtered += static_cast<__u64>(unwanted);
        ledger[0].kind[kind].lost[IPCSCOPE_LOST_RECURSION] += lost;
        ledger[0].lost += lost;
    }
}

void Tracer::unfinished(const Producer::Visit& visit) const
{
    for_each_element<ipcscope_thread_state>(
        bpf_map__fd(map("states")), [&](__u32, const ipcscope_thread_state& state) {
            if (state.key != 0) {
                visit_unfinished(state, stop_ns_, visit);
            }
        });
}

}  // namespace ipcscope::source::bpf
