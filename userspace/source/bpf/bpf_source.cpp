// SPDX-License-Identifier: GPL-2.0-only
#include "source/bpf/bpf_source.hpp"

#include "source/bpf/rings.hpp"
#include "source/bpf/tracer.hpp"
#include "source/calls_before.hpp"
#include "source/live_source.hpp"
#include "source/privileges.hpp"

namespace ipcscope::source::bpf {
namespace {

class BpfProducer final : public Producer {
public:
    explicit BpfProducer(std::unique_ptr<Tracer> tracer) : tracer_(std::move(tracer)) {}

    Result<void> map_rings()
    {
        for (std::size_t cpu = 0; cpu < tracer_->cpus(); ++cpu) {
            if (auto added = rings_.add(tracer_->ring_fd(cpu)); !added) {
                return added;
            }
        }
        return {};
    }

    Result<void> arm() { return tracer_->arm(); }

    std::size_t cpus() const override { return tracer_->cpus(); }
    void wait(std::chrono::milliseconds timeout) override { rings_.wait(timeout); }
    Drained drain(std::size_t cpu) override { return rings_.drain(cpu); }
    /// The programs live as long as they are held.
    Result<void> alive() override { return {}; }
    Result<void> detach() override
    {
        tracer_->detach();
        return {};
    }
    Ledger ledger() const override { return tracer_->ledger(); }
    std::uint64_t start_ns() const override { return tracer_->start_ns(); }
    std::uint64_t stop_ns() const override { return tracer_->stop_ns(); }
    void unfinished(const Visit& visit) const override { tracer_->unfinished(visit); }
    const std::vector<HookStatus>& hooks() const override { return tracer_->hooks(); }

private:
    std::unique_ptr<Tracer> tracer_;
    Rings rings_;
};

}  // namespace

Result<std::unique_ptr<Source>> open_source(const Options& options)
{
    auto stacks = std::make_unique<ThreadStacks>();
    auto calls = std::make_unique<CallsBefore>(options, *stacks);
    auto tracer = Tracer::attach(options);
    if (!tracer) {
        return tl::unexpected<Error>(tracer.error());
    }
    auto producer = std::make_unique<BpfProducer>(std::move(*tracer));
    if (auto ready = producer->map_rings().and_then([&] { return producer->arm(); }); !ready) {
        return tl::unexpected<Error>(ready.error());
    }
    keep_only_reading();
    return live_source(std::move(producer), std::move(stacks), std::move(calls),
                       "bpf", options);
}

}  // namespace ipcscope::source::bpf
