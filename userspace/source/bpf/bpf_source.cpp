// SPDX-License-Identifier: GPL-2.0-only
#include "source/bpf/bpf_source.hpp"

#include <algorithm>

#include "base/clock.hpp"
#include "config.h"
#include "source/bpf/rings.hpp"
#include "source/bpf/tracer.hpp"
#include "source/live_source.hpp"
#include "source/privileges.hpp"

namespace ipcscope::source::bpf {
namespace {

ipcscope_pipe_op unfinished_record(std::uint32_t tid, const ipcscope_call& call,
                                   std::uint64_t now)
{
    ipcscope_pipe_op record{};
    record.header.time_ns = now;
    record.header.tgid = call.tgid;
    record.header.tid = tid;
    record.header.kind = call.kind;
    record.header.size = sizeof record;
    record.header.flags = IPCSCOPE_UNFINISHED;
    std::copy_n(call.comm, sizeof call.comm, record.header.comm);
    record.enter_ns = call.enter_ns;
    record.inode = call.inode;
    record.requested_bytes = call.requested_bytes;
    record.blocked_ns = call.blocked_ns;
    record.runqueue_ns = call.runqueue_ns;
    record.uninterruptible_ns = call.uninterruptible_ns;
    record.woken_ns = call.woken_ns;
    if (call.sleep_ns != 0 && call.wake_ns == 0 && now > call.sleep_ns) {
        (call.sleep_state == IPCSCOPE_STATE_INTERRUPTIBLE ? record.blocked_ns
                                                          : record.uninterruptible_ns) +=
            now - call.sleep_ns;
    }
    record.dev = call.dev;
    record.ring_slots = call.ring_slots;
    record.used_slots = call.used_slots;
    record.readers = call.readers;
    record.writers = call.writers;
    record.sleeps = call.sleeps;
    record.fifo = call.fifo;
    record.nonblock = call.nonblock;
    record.packet = call.packet;
    return record;
}

class BpfProducer final : public Producer {
public:
    explicit BpfProducer(std::unique_ptr<Tracer> tracer) : tracer_(std::move(tracer)) {}

    Result<void> map_rings()
    {
        for (std::size_t cpu = 0; cpu < tracer_->cpus(); cpu++) {
            if (auto added = rings_.add(tracer_->ring_fd(cpu)); !added) {
                return added;
            }
        }
        return {};
    }

    std::size_t cpus() const override { return tracer_->cpus(); }
    void wait(std::chrono::milliseconds timeout) override { rings_.wait(timeout); }
    Drained drain(std::size_t cpu) override { return rings_.drain(cpu); }
    /// The programs live as long as we hold them.
    Result<void> alive() override { return {}; }
    Result<void> detach() override
    {
        tracer_->detach();
        return {};
    }
    Ledger ledger() const override { return tracer_->ledger(); }
    void unfinished(std::uint64_t now, const Visit& visit) const override
    {
        tracer_->unfinished([&](std::uint32_t tid, const ipcscope_call& call) {
            if (call.kind == IPCSCOPE_PIPE_READ || call.kind == IPCSCOPE_PIPE_WRITE) {
                visit(unfinished_record(tid, call, now));
            }
        });
    }
    const std::vector<HookStatus>& hooks() const override { return tracer_->hooks(); }

private:
    std::unique_ptr<Tracer> tracer_;
    Rings rings_;
};

}  // namespace

Result<std::unique_ptr<Source>> open_source(const Options& options)
{
    auto stacks = std::make_unique<ThreadStacks>();
    const std::uint64_t start = monotonic_ns();
    auto tracer = Tracer::attach(options);
    if (!tracer) {
        return tl::unexpected<Error>(tracer.error());
    }
    auto producer = std::make_unique<BpfProducer>(std::move(*tracer));
    if (auto mapped = producer->map_rings(); !mapped) {
        return tl::unexpected<Error>(mapped.error());
    }
    keep_only_reading();
    return live_source(std::move(producer), std::move(stacks), "bpf", start, options);
}

}  // namespace ipcscope::source::bpf
