// SPDX-License-Identifier: GPL-2.0-only
#include "source/kmod/device.hpp"

#include <algorithm>
#include <atomic>
#include <bit>
#include <cerrno>
#include <cstring>
#include <utility>

#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include <fmt/format.h>

#include "base/clock.hpp"
#include "base/safe_text.hpp"
#include "base/version.hpp"
#include "source/kmod/load.hpp"

namespace ipcscope::source::kmod {
namespace {

constexpr const char* kPath = "/dev/" IPCSCOPE_DEVICE;

std::size_t pages(std::size_t bytes)
{
    const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
    return (bytes + page - 1) / page * page;
}

template <std::size_t size>
std::string text_of(const char (&bytes)[size])
{
    return {bytes, strnlen(bytes, size)};
}

Error open_error(int error)
{
    switch (error) {
    case EBUSY:
        return {Exit::kernel,
                fmt::format("{} is busy: another ipcscope traces through it, end that one first",
                            kPath)};
    case EACCES:
    case EPERM:
        return {Exit::permission, fmt::format("{} may not be opened: run as root, or with "
                                              "CAP_PERFMON and the right to read and write it",
                                              kPath)};
    default:
        return {Exit::kernel,
                fmt::format("{} cannot be opened: {}", kPath, std::strerror(error))};
    }
}

/// A position that the other side writes.
std::uint64_t load_acquire(const __u64& position)
{
    return __atomic_load_n(&position, __ATOMIC_ACQUIRE);
}

}  // namespace

Mapping::~Mapping()
{
    if (data_) munmap(data_, bytes_);
}

Mapping::Mapping(Mapping&& other) noexcept
    : data_(std::exchange(other.data_, nullptr)), bytes_(other.bytes_)
{
}

Result<Mapping> Mapping::map(int fd, std::uint64_t offset, std::size_t bytes, bool write)
{
    void* data = mmap(nullptr, bytes, PROT_READ | (write ? PROT_WRITE : 0), MAP_SHARED, fd,
                      static_cast<off_t>(offset));
    if (data == MAP_FAILED) {
        return fail(Exit::kernel, fmt::format("the memory of {} cannot be mapped: {}", kPath,
                                              std::strerror(errno)));
    }
    Mapping mapping;
    mapping.data_ = static_cast<std::byte*>(data);
    mapping.bytes_ = bytes;
    return mapping;
}

Result<void> check_versions(const ipcscope_about& about)
{
    if (about.transport == IPCSCOPE_TRANSPORT_VERSION &&
        about.schema == IPCSCOPE_SCHEMA_VERSION) {
        return {};
    }
    return fail(Exit::kernel,
                fmt::format("the loaded kernel module (ipcscope {}) is of schema {} and "
                            "transport {}, this ipcscope {} is of schema {} and transport {}: "
                            "reload it: rmmod ipcscope, then insmod the ipcscope.ko that was "
                            "built with this one",
                            SafeText::escape(text_of(about.version)).str(), about.schema,
                            about.transport, kVersion, IPCSCOPE_SCHEMA_VERSION,
                            IPCSCOPE_TRANSPORT_VERSION));
}

Result<std::unique_ptr<Device>> Device::attach(const Options& options)
{
    const auto selection = select(options);
    if (!selection) {
        return tl::unexpected<Error>(selection.error());
    }
    std::unique_ptr<Device> device(new Device);
    auto done = device->open()
                    .and_then([&] { return device->add_filters(*selection); })
                    .and_then([&] { return device->start(options, *selection); })
                    .and_then([&] { return device->map_areas(options); });
    if (!done) {
        return tl::unexpected<Error>(done.error());
    }
    return device;
}

/// Loads the module where it is installed only.  The one place where the two
/// sides' versions meet.
Result<void> Device::open()
{
    fd_.reset(::open(kPath, O_RDWR | O_CLOEXEC));
    if (!fd_ && errno == ENOENT) {
        if (auto loaded = load(); !loaded) {
            return loaded;
        }
        fd_.reset(::open(kPath, O_RDWR | O_CLOEXEC));
    }
    if (!fd_) {
        return tl::unexpected<Error>(open_error(errno));
    }
    if (ioctl(fd_.get(), IPCSCOPE_IOC_ABOUT, &about_) != 0) {
        return fail(Exit::kernel, fmt::format("{} is not the device of ipcscope's kernel module, "
                                              "or of another version than {}",
                                              kPath, kVersion));
    }
    return check_versions(about_);
}

Result<void> Device::add_filters(const Selection& selection)
{
    std::vector<ipcscope_filter> filters;
    const auto add = [&](unsigned type, std::uint64_t id) {
        ipcscope_filter filter{};
        filter.type = type;
        filter.id = id;
        filters.push_back(filter);
    };
    for (std::uint32_t pid : selection.tgids) add(IPCSCOPE_FILTER_TGID, pid);
    for (std::uint32_t tid : selection.tids) add(IPCSCOPE_FILTER_TID, tid);
    for (std::uint64_t id : selection.cgroups) add(IPCSCOPE_FILTER_CGROUP, id);
    if (selection.command != 0) add(IPCSCOPE_FILTER_FOLLOWED, selection.command);
    for (const std::string& comm : selection.comms) {
        add(IPCSCOPE_FILTER_COMM, 0);
        std::memcpy(filters.back().comm, comm.data(),
                    std::min(comm.size(), sizeof filters.back().comm - 1));
    }
    for (const ipcscope_filter& filter : filters) {
        if (ioctl(fd_.get(), IPCSCOPE_IOC_FILTER, &filter) == 0) {
            continue;
        }
        if (errno == ENOSPC) {
            return fail(Exit::usage, fmt::format("too many filters: at most {} names",
                                                 IPCSCOPE_FILTER_NAMES));
        }
        return fail(Exit::kernel, fmt::format("the kernel module does not take a filter: {}",
                                              std::strerror(errno)));
    }
    return {};
}

Result<void> Device::start(const Options& options, const Selection& selection)
{
    ring_bytes_ = std::bit_ceil(
        std::max(options.ring_bytes, pages(static_cast<std::size_t>(IPCSCOPE_RING_MIN))));
    ipcscope_start start{};
    start.transport = IPCSCOPE_TRANSPORT_VERSION;
    start.schema = IPCSCOPE_SCHEMA_VERSION;
    start.signal_mask = selection.signal_mask;
    start.families = options.families;
    start.filters = selection.must_match;
    start.follow = selection.follow;
    start.max_threads = std::clamp(options.max_threads, 1u, IPCSCOPE_THREADS_MAX);
    start.ring_bytes = ring_bytes_;
    start.wakeup_bytes = ring_bytes_ / 4;
    if (options.stat) {
        start.stat_rows = options.stat->max_rows;
        start.stat_pending = options.stat->max_pending;
        start.stat_by = options.stat->by;
    }
    const int error = ioctl(fd_.get(), IPCSCOPE_IOC_START, &start) == 0 ? 0 : errno;
    look_at_hooks();
    if (error) {
        return tl::unexpected<Error>(start_error(error, options));
    }
    return {};
}

Error Device::start_error(int error, const Options& options) const
{
    for (const HookStatus& hook : hooks_) {
        if (hook.required && !hook.attached && !hook.why.empty()) {
            return {Exit::kernel, fmt::format("cannot hook \"{}\" at {}: {}", hook.name,
                                              hook.target, hook.why)};
        }
    }
    if (error == ENOMEM) {
        return {Exit::kernel,
                fmt::format("no memory for {} for {} CPUs and the state of {} threads (the "
                            "module's memory_percent limits them): use a smaller {}",
                            options.stat ? fmt::format("{} rows", options.stat->max_rows)
                                         : fmt::format("rings of {} bytes", options.ring_bytes),
                            about_.cpus, options.max_threads,
                            options.stat ? "--max-rows" : "--ring-size")};
    }
    return {Exit::kernel,
            fmt::format("the kernel module cannot start: {}", std::strerror(error))};
}

/// What fits on this kernel; where a start failed, which hook it was.
void Device::look_at_hooks()
{
    hooks_.clear();
    for (std::uint32_t index = 0; index < about_.hooks; index++) {
        ipcscope_hook hook{};
        hook.index = index;
        if (ioctl(fd_.get(), IPCSCOPE_IOC_HOOK, &hook) != 0) {
            continue;
        }
        hooks_.push_back({text_of(hook.name), text_of(hook.mechanism), text_of(hook.target),
                          hook.error ? std::strerror(-hook.error) : "",
                          (hook.flags & IPCSCOPE_HOOK_REQUIRED) != 0,
                          (hook.flags & IPCSCOPE_HOOK_ATTACHED) != 0,
                          hook.families});
    }
}

Result<void> Device::map_area(std::vector<Mapping>& to, std::uint64_t offset,
                              std::size_t bytes, bool write)
{
    auto mapping = Mapping::map(fd_.get(), offset, pages(bytes), write);
    if (!mapping) {
        return tl::unexpected<Error>(mapping.error());
    }
    to.push_back(std::move(*mapping));
    return {};
}

Result<void> Device::map_areas(const Options& options)
{
    const std::size_t cpus = about_.cpus;
    auto done =
        map_area(areas_, IPCSCOPE_MAP_STATUS,
                 sizeof(ipcscope_status) + cpus * sizeof(ipcscope_cpu))
            .and_then([&] {
                return map_area(areas_, IPCSCOPE_MAP_CONSUMER, cpus * sizeof(ipcscope_consumer),
                                true);
            });
    for (std::size_t cpu = 0; done && cpu < cpus; cpu++) {
        done = map_area(rings_, IPCSCOPE_MAP_RING(cpu), ring_bytes_);
    }
    return done && options.stat ? map_stat(*options.stat) : done;
}

Result<void> Device::map_stat(const StatOptions& options)
{
    const auto map = [&](auto& area, std::uint64_t offset, std::size_t count) {
        using Element = typename std::decay_t<decltype(area)>::value_type;
        return map_area(areas_, offset, count * sizeof(Element)).map([&] {
            area = {reinterpret_cast<const Element*>(areas_.back().data()), count};
        });
    };
    const std::size_t cpus = about_.cpus;
    return map(stat_.keys, IPCSCOPE_MAP_STAT_KEYS, options.max_rows)
        .and_then([&] {
            return map(stat_.cells, IPCSCOPE_MAP_STAT_CELLS, cpus * options.max_rows);
        })
        .and_then([&] { return map(stat_.tallies, IPCSCOPE_MAP_STAT_TALLIES, cpus); })
        .and_then([&] { return map(stat_.slots, IPCSCOPE_MAP_STAT_SLOTS, options.max_pending); });
}

const ipcscope_status& Device::status() const
{
    return *reinterpret_cast<const ipcscope_status*>(areas_[0].data());
}

const ipcscope_cpu& Device::cpu(std::size_t number) const
{
    return reinterpret_cast<const ipcscope_cpu*>(areas_[0].data() +
                                                 sizeof(ipcscope_status))[number];
}

void Device::wait(std::chrono::milliseconds timeout)
{
    pollfd poll_fd{fd_.get(), POLLIN, 0};
    ::poll(&poll_fd, 1, static_cast<int>(timeout.count()));
}

/// Copies what is in the ring from `from` on, around its end if need be.
/// @return bytes of whole records among them
std::size_t Device::copy_out(std::size_t number, std::uint64_t from, std::size_t bytes)
{
    const std::byte* ring = rings_[number].data();
    const std::size_t at = from & (ring_bytes_ - 1);
    const std::size_t first = std::min<std::size_t>(bytes, ring_bytes_ - at);
    batch_.resize(bytes);
    std::memcpy(batch_.data(), ring + at, first);
    std::memcpy(batch_.data() + first, ring, bytes - first);
    std::size_t whole = 0;
    while (bytes - whole >= sizeof(ipcscope_header)) {
        ipcscope_header header;
        std::memcpy(&header, batch_.data() + whole, sizeof header);
        if (header.size < sizeof header || header.size > bytes - whole) {
            break;
        }
        whole += header.size;
    }
    return whole;
}

Producer::Drained Device::drain(std::size_t number)
{
    auto* consumers = reinterpret_cast<ipcscope_consumer*>(areas_[1].data());
    const std::uint64_t from = consumers[number].position;
    const std::uint64_t to = load_acquire(cpu(number).position);
    const auto bytes = static_cast<std::size_t>(std::min<std::uint64_t>(to - from, kBatchBytes));
    const std::size_t whole = copy_out(number, from, bytes);
    __atomic_store_n(&consumers[number].position, from + whole, __ATOMIC_RELEASE);
    return {std::span(batch_.data(), whole), from + whole == to || whole == 0};
}

Result<void> Device::alive()
{
    const std::uint64_t heartbeat =
        __atomic_load_n(&status().heartbeat_ns, __ATOMIC_RELAXED);
    if (heartbeat_monitor_.alive(heartbeat, monotonic_ns())) {
        return {};
    }
    return fail(Exit::producer, "the kernel module has stopped working (no heartbeat): see the "
                                "kernel log");
}

Result<void> Device::detach()
{
    ipcscope_stop stop{};
    if (ioctl(fd_.get(), IPCSCOPE_IOC_STOP, &stop) != 0) {
        return fail(Exit::producer, fmt::format("the kernel module cannot stop: {}",
                                                std::strerror(errno)));
    }
    unfinished_ = stop.unfinished;
    return {};
}

Ledger Device::ledger() const
{
    Ledger ledger(rings_.size());
    for (std::size_t number = 0; number < ledger.size(); number++) {
        ledger[number] = copy_of(cpu(number).ledger);
    }
    return ledger;
}

void Device::unfinished(const Visit& visit) const
{
    for (std::uint32_t index = 0; index < unfinished_; ++index) {
        ipcscope_unfinished query{};
        query.index = index;
        ipcscope_header header;
        if (ioctl(fd_.get(), IPCSCOPE_IOC_UNFINISHED, &query) != 0) {
            continue;
        }
        std::memcpy(&header, query.record, sizeof header);
        if (header.size >= sizeof header && header.size <= sizeof query.record) {
            visit(std::as_writable_bytes(std::span(query.record, header.size)));
        }
    }
}

}  // namespace ipcscope::source::kmod
