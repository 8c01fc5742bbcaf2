// SPDX-License-Identifier: GPL-2.0-only
// A trace for Perfetto: a track for each thread, with its calls and what it waited for in them.
#include <algorithm>
#include <array>
#include <iterator>
#include <optional>
#include <unordered_map>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "aggregate/channel.hpp"
#include "base/units.hpp"
#include "correlate/end_names.hpp"
#include "decode/names.hpp"
#include "decode/time.hpp"
#include "exports/call_waits.hpp"
#include "exports/data_flows.hpp"
#include "exports/exporter.hpp"
#include "exports/perfetto_writer.hpp"
#include "exports/text.hpp"
#include "render/names.hpp"

namespace ipcscope::exports {
namespace {

using aggregate::ChannelUse;
using aggregate::ObjectId;

/// Slices on a track follow each other, so that all nest.  One of a damaged capture that
/// overlaps another goes to a track beside it, or, where even these are full, becomes an
/// instant.
struct Lane {
    Track track = 0;
    std::uint64_t written_ns = 0;   ///< the end of its last slice
};
constexpr std::size_t kMostLanes = 8;

/// A call that has returned, as far as it may have ended a wait.
struct Returned {
    std::uint64_t enter_ns = 1;
    std::uint64_t exit_ns = 0;
    ObjectId channel;
    bool output = false;

    bool ended(std::uint64_t woken_ns, const ObjectId& of, bool waiter_output) const
    {
        return enter_ns <= woken_ns && woken_ns <= exit_ns && channel == of &&
               output != waiter_output;
    }
};

/// A wait of which the call that ended it is looked for.
struct Woken {
    std::uint64_t woken_ns = 0;
    ObjectId channel;
    bool output = false;   ///< the waiter's
    Track waiter = 0;
    std::uint32_t waiter_tid = 0;
};

struct Thread {
    decode::Task task;
    std::vector<Lane> lanes;            ///< the first is the thread's own track
    std::array<Returned, 2> returned;   ///< the newest first; a splice has two of one time

    Track track() const { return lanes.front().track; }
};

/// A tid and who had it when.
struct Life {
    std::uint64_t since_ns;
    Track track;
};

struct NameKey {
    std::uint64_t object;
    std::uint32_t dev;
    std::uint8_t type;
    std::uint8_t op;
    friend bool operator==(const NameKey&, const NameKey&) = default;
    struct Hash {
        std::size_t operator()(const NameKey& key) const
        {
            return aggregate::mix(aggregate::mix(key.dev, key.object),
                                  std::uint64_t{key.type} << 8 | key.op);
        }
    };
};

struct Fill {
    Track track = 0;
    std::uint64_t newest_ns = 0;
    std::uint64_t value = 0;
};

class Perfetto final : public Exporter {
public:
    explicit Perfetto(AtomicFile file)
        : out_(std::move(file)),
          data_([this](const DataFlows::Call& write, const DataFlows::Call& read) {
              put_data(write, read);
          })
    {
    }

    void host(const source::Host& host) override
    {
        out_.begin(host.start_ns,
                   host.start_ns + static_cast<std::uint64_t>(host.realtime_offset_ns));
        findings_ = out_.track("ipcscope findings");
        kernel_ = out_.track("signals of the kernel");
        losses_ = out_.track("lost records");
    }
    void event(const decode::Event& event) override
    {
        note_loss(event);
        std::visit([&](const auto& body) { on(event, body); }, event.body);
    }
    void interval(const correlate::Interval& interval) override
    {
        std::visit([&](const auto& what) { add(what); }, interval);
    }
    Result<void> finish(const aggregate::Report& report,
                        const diagnose::Findings& findings) override;
    const Result<void>& result() const override { return out_.result(); }

private:
    void on(const decode::Event&, const auto&) {}   // is not drawn
    void on(const decode::Event& event, const decode::SignalGenerate& body)
    {
        if (decode::names_sender(decode::origin_of(body))) thread_of(event);
    }
    void on(const decode::Event& event, const decode::SignalTake&) { thread_of(event); }
    void on(const decode::Event& event, const decode::Thread& body);
    void on(const decode::Event& event, const decode::ThreadTime& body);
    void on(const decode::Event& event, const decode::ThreadFree&) { forget(event.task.tid); }
    void on(const decode::Event& event, const decode::Slice& body);
    void on(const decode::Event& event, const decode::Call& body);

    void add(const correlate::SignalInterval& signal);
    void add(const correlate::Orphan& orphan);
    void add(const correlate::KillInterval&) {}   // its finding has all of it
    void add(const diagnose::Finding& finding, std::uint64_t start_ns);

    Thread& thread_of(const decode::Event& event);
    Track track_of(const decode::Task& task, std::uint64_t time_ns);
    void note_process(const decode::Event& event);
    void forget(std::uint32_t tid);
    void note_loss(const decode::Event& event);
    NameId name_of(const decode::Call& call);
    std::string task_text(std::uint32_t tid);
    void put_between(Thread& thread, const Wait& wait, bool unfinished);
    void put_call(Thread& thread, const decode::Event& event, const decode::Call& call,
                  const std::vector<Wait>& waits);
    void put_waits(Lane& lane, std::uint64_t enter_ns, const decode::Call& call,
                   const std::vector<Wait>& waits);
    void put_fill(const decode::Call& call);
    void put_arrows(Thread& thread, const decode::Event& event, const decode::Call& call,
                    const std::vector<Wait>& waits);
    void put_arrow(const Thread& waker, const Woken& woken);
    void put_data(const DataFlows::Call& write, const DataFlows::Call& read);
    Lane* lane_for(Thread& thread, std::uint64_t start_ns);

    PerfettoWriter out_;
    Names names_;
    CallWaits call_waits_;
    DataFlows data_;
    std::unordered_map<std::uint32_t, Thread> threads_;             ///< by tid
    std::unordered_map<std::uint32_t, std::vector<Life>> lives_;    ///< by tid
    std::unordered_map<std::uint32_t, std::pair<Track, Comm>> processes_;   ///< by pid
    std::unordered_map<std::uint32_t, std::vector<Woken>> woken_;   ///< by the waker's tid
    std::unordered_map<NameKey, NameId, NameKey::Hash> call_names_;
    std::unordered_map<NameKey, Fill, NameKey::Hash> fills_;
    std::unordered_map<unsigned, std::uint64_t> lost_;              ///< by CPU
    Track findings_ = 0;
    Track kernel_ = 0;
    Track losses_ = 0;
};

Thread& Perfetto::thread_of(const decode::Event& event)
{
    const auto [at, is_new] = threads_.try_emplace(event.task.tid);
    Thread& thread = at->second;
    const bool renamed = !event.task.comm.empty() && thread.task.comm != event.task.comm;
    if (!is_new && !renamed) {
        return thread;
    }
    thread.task = event.task;
    note_process(event);
    const std::string& name = names_.of(event.task.comm);
    if (is_new) {
        thread.lanes.push_back({out_.thread(event.task.tgid, event.task.tid, name), 0});
        lives_[event.task.tid].push_back({event.time_ns, thread.track()});
    } else {
        out_.thread(event.task.tgid, event.task.tid, name, thread.track());
    }
    return thread;
}

void Perfetto::note_process(const decode::Event& event)
{
    if (event.process.empty()) {
        return;
    }
    const auto [at, is_new] = processes_.try_emplace(event.task.tgid);
    auto& [track, name] = at->second;
    if (is_new || name != event.process) {
        name = event.process;
        track = out_.process(event.task.tgid, names_.of(name), track);
    }
}

/// The thread of that number at that time; of one that has no records, a track of its own.
Track Perfetto::track_of(const decode::Task& task, std::uint64_t time_ns)
{
    std::vector<Life>& lives = lives_[task.tid];
    for (auto life = lives.rbegin(); life != lives.rend(); ++life) {
        if (life->since_ns <= time_ns || std::next(life) == lives.rend()) {
            return life->track;
        }
    }
    lives.push_back({0, out_.thread(task.tgid, task.tid, names_.of(task.comm))});
    return lives.back().track;
}

void Perfetto::forget(std::uint32_t tid)
{
    threads_.erase(tid);
    processes_.erase(tid);
    woken_.erase(tid);
    call_waits_.rest(tid);
}

void Perfetto::note_loss(const decode::Event& event)
{
    std::uint64_t& lost = lost_[event.cpu];
    if (event.lost_before > lost) {
        out_.instant(losses_, event.time_ns, out_.name("records lost"),
                     {{Key::lost, event.lost_before - lost}});
        data_.lose();
        lost = event.lost_before;
    }
}

void Perfetto::on(const decode::Event& event, const decode::Thread& body)
{
    if (body.reason == IPCSCOPE_THREAD_FORK) {
        forget(event.task.tid);   // its number was another's
    }
    thread_of(event);
}

void Perfetto::on(const decode::Event& event, const decode::ThreadTime&)
{
    Thread& thread = thread_of(event);
    for (const Wait& wait : call_waits_.rest(event.task.tid)) {
        put_between(thread, wait, event.unfinished);
    }
    if (event.kind == IPCSCOPE_THREAD_EXIT) {
        out_.instant(thread.track(), event.time_ns, out_.name("exit"));
    }
}

void Perfetto::on(const decode::Event& event, const decode::Slice& body)
{
    Thread& thread = thread_of(event);
    if (!call_waits_.note(event, body)) {
        put_between(thread, {decode::state_of(body.state), body.start_ns, body.end_ns,
                             body.waker_tid}, event.unfinished);
    }
}

/// nullptr: none is free.
Lane* Perfetto::lane_for(Thread& thread, std::uint64_t start_ns)
{
    for (Lane& lane : thread.lanes) {
        if (lane.written_ns <= start_ns) {
            return &lane;
        }
    }
    if (thread.lanes.size() == kMostLanes) {
        return nullptr;
    }
    thread.lanes.push_back({out_.track("overlapping", thread.track()), 0});
    return &thread.lanes.back();
}

std::string Perfetto::task_text(std::uint32_t tid)
{
    if (tid == 0) {
        return {};
    }
    const auto found = threads_.find(tid);
    return found == threads_.end()
               ? std::to_string(tid)
               : fmt::format("{}/{}", names_.of(found->second.task.comm), tid);
}

void Perfetto::put_between(Thread& thread, const Wait& wait, bool unfinished)
{
    const std::uint64_t end_ns = std::max(wait.start_ns, wait.end_ns);
    const NameId name = out_.name(std::string(decode::state_name(wait.state)));
    const std::string waker = task_text(wait.waker_tid);
    if (Lane* lane = lane_for(thread, wait.start_ns)) {
        out_.slice_begin(lane->track, wait.start_ns, name,
                         {{Key::waker, waker}, {Key::unfinished, unfinished}});
        out_.slice_end(lane->track, end_ns);
        lane->written_ns = end_ns;
    } else {
        out_.instant(thread.track(), end_ns, name,
                     {{Key::waker, waker}, {Key::overlaps_ns, end_ns - wait.start_ns}});
    }
}

NameId Perfetto::name_of(const decode::Call& call)
{
    const auto [at, is_new] =
        call_names_.try_emplace({call.object, call.dev, call.type, call.op});
    if (is_new) {
        const decode::ObjectType type = decode::type_of(call);
        at->second = out_.new_name(fmt::format("{} {} {}", decode::op_name(decode::op_of(call)),
                                               decode::object_name(type),
                                               render::object_text(type, call.object)));
    }
    return at->second;
}

void Perfetto::on(const decode::Event& event, const decode::Call& call)
{
    Thread& thread = thread_of(event);
    std::vector<Wait> waits = call_waits_.of(event, call);
    const auto first = std::ranges::find_if(waits, &Wait::in_call);
    for (auto at = waits.begin(); at != first; ++at) {
        put_between(thread, *at, false);
    }
    waits.erase(waits.begin(), first);
    put_fill(call);
    if (event.before_trace) {
        // When it returns is not known; its time is in the slices between calls.
        out_.instant(thread.track(), event.time_ns, name_of(call),
                     {{Key::since_ns, std::uint64_t{call.enter_ns}},
                      {Key::requested, std::uint64_t{call.requested}}});
        return;
    }
    put_call(thread, event, call, waits);
    put_arrows(thread, event, call, waits);
    data_.call(event, call, thread.track());
}

void Perfetto::put_call(Thread& thread, const decode::Event& event, const decode::Call& call,
                        const std::vector<Wait>& waits)
{
    const decode::Inside inside = decode::inside(event, call);
    const std::uint64_t end_ns = std::max<std::uint64_t>(event.time_ns, call.enter_ns);
    const std::int64_t ret = event.unfinished ? 0 : call.ret;
    Lane* lane = lane_for(thread, call.enter_ns);
    if (lane == nullptr) {
        out_.instant(thread.track(), end_ns, name_of(call),
                     {{Key::overlaps_ns, inside.span_ns}, {Key::ret, ret}});
        return;
    }
    out_.slice_begin(lane->track, call.enter_ns, name_of(call),
                     {{Key::requested, std::uint64_t{call.requested}},
                      {Key::ret, ret},
                      {Key::blocked_ns, inside.blocked_ns},
                      {Key::runnable_ns, inside.runnable_ns},
                      {Key::uninterruptible_ns, inside.uninterruptible_ns},
                      {Key::sleeps, std::uint64_t{call.sleeps}},
                      {Key::unfinished, event.unfinished}});
    put_waits(*lane, call.enter_ns, call, waits);
    out_.slice_end(lane->track, end_ns);
    lane->written_ns = end_ns;
}

/// Those of one call, inside of it.  Where two overlap, as the place of short sleeps is not
/// known, the later one begins as the earlier one ends.
void Perfetto::put_waits(Lane& lane, std::uint64_t enter_ns, const decode::Call& call,
                         const std::vector<Wait>& waits)
{
    std::uint64_t written_ns = enter_ns;
    for (const Wait& wait : waits) {
        const std::uint64_t start_ns = std::max(wait.start_ns, written_ns);
        if (start_ns >= wait.end_ns) {
            continue;
        }
        const std::string_view what = waits_for(call);
        const bool slept = wait.state == decode::State::interruptible;
        const NameId name = out_.name(
            slept && !what.empty() ? fmt::format("waits for {}", what)
                                   : std::string(decode::state_name(wait.state)));
        const std::string waker = task_text(wait.waker_tid);
        out_.slice_begin(lane.track, start_ns, name, {{Key::waker, waker}});
        out_.slice_end(lane.track, wait.end_ns);
        written_ns = wait.end_ns;
    }
}

/// As it was at the entry.  Calls come as they return, so an older value may follow a newer.
void Perfetto::put_fill(const decode::Call& call)
{
    const auto level = aggregate::level_of(call);
    if (!level) {
        return;
    }
    const bool socket = decode::is_unix(decode::type_of(call));
    const bool sends = socket && decode::op_of(call) == decode::Op::send;
    const ObjectId object = aggregate::object_of(call);
    const auto [at, is_new] = fills_.try_emplace({object.object, object.dev, object.type, sends});
    Fill& fill = at->second;
    if (is_new) {
        const decode::ObjectType type = decode::type_of(call);
        const std::string what = socket ? (sends ? "bytes sent" : "bytes queued")
                                 : decode::is_pipe(type) ? "pages used" : "messages";
        fill.track = out_.counter(fmt::format("{} {} {}", decode::object_name(type),
                                              render::object_text(type, call.object), what),
                                  socket ? pb::kUnitBytes : pb::kUnitCount);
    }
    const bool newest = is_new || call.enter_ns >= fill.newest_ns;
    if (is_new || !newest || level->used != fill.value) {
        out_.count(fill.track, call.enter_ns, level->used);
    }
    if (newest) {
        fill.newest_ns = call.enter_ns;
        fill.value = level->used;
    }
}

/// From the call that ended a wait to the call that waited, which may return first.
void Perfetto::put_arrows(Thread& thread, const decode::Event& event, const decode::Call& call,
                          const std::vector<Wait>& waits)
{
    const auto use = aggregate::channel_use(call);
    if (!use) {
        return;
    }
    for (const Wait& wait : waits) {
        const bool slept = wait.state == decode::State::interruptible;
        if (!slept || wait.waker_tid == 0 || wait.waker_tid == event.task.tid) {
            continue;
        }
        const Woken woken{wait.end_ns, use->channel, use->output, thread.track(),
                          event.task.tid};
        const auto waker = threads_.find(wait.waker_tid);
        const auto ended = [&](const Returned& returned) {
            return returned.ended(woken.woken_ns, woken.channel, woken.output);
        };
        if (waker != threads_.end() && std::ranges::any_of(waker->second.returned, ended)) {
            put_arrow(waker->second, woken);
        } else {
            woken_[wait.waker_tid].push_back(woken);
        }
    }
    if (event.unfinished) {
        return;
    }
    const Returned returned{call.enter_ns, event.time_ns, use->channel, use->output};
    thread.returned = {returned, thread.returned.front()};
    const auto waiting = woken_.find(event.task.tid);
    if (waiting == woken_.end()) {
        return;
    }
    for (const Woken& woken : waiting->second) {
        if (returned.ended(woken.woken_ns, woken.channel, woken.output)) {
            put_arrow(thread, woken);
        }
    }
    std::erase_if(waiting->second,
                  [&](const Woken& woken) { return woken.woken_ns <= event.time_ns; });
    if (waiting->second.empty()) {
        woken_.erase(waiting);
    }
}

void Perfetto::put_arrow(const Thread& waker, const Woken& woken)
{
    const std::string waiter_text = task_text(woken.waiter_tid);
    const std::string waker_text = task_text(waker.task.tid);
    out_.arrow({waker.track(), woken.woken_ns, out_.name("wakes"), {{Key::target, waiter_text}}},
               {woken.waiter, woken.woken_ns, out_.name("woken"), {{Key::waker, waker_text}}});
}

/// The read may be over before the write is, of which it took the last byte.
void Perfetto::put_data(const DataFlows::Call& write, const DataFlows::Call& read)
{
    out_.arrow({write.tag, std::min(write.exit_ns, read.exit_ns), out_.name("written")},
               {read.tag, read.exit_ns, out_.name("read"),
                {{Key::latency_ns, since(read.exit_ns, write.enter_ns)}}});
}

void Perfetto::add(const correlate::SignalInterval& signal)
{
    const bool sent_by = decode::names_sender(signal.origin);
    // The send's entry is before all that the target may do.
    const std::uint64_t sent_ns = signal.send_enter_ns == 0
                                      ? signal.generated_ns
                                      : std::min(signal.send_enter_ns, signal.generated_ns);
    const Track from = sent_by ? track_of(signal.sender, sent_ns) : kernel_;
    const std::string number = decode::signal_name(signal.signal);
    const std::string target =
        fmt::format("{}/{}", names_.of(signal.target.comm), signal.target.tgid);
    const std::string sender =
        sent_by ? fmt::format("{}/{}", names_.of(signal.sender.comm), signal.sender.tgid)
                : std::string(decode::origin_name(signal.origin));
    const NameId sent = out_.name(number + " sent");
    const PerfettoWriter::Annotations what{{Key::target, target},
                                           {Key::origin, decode::origin_name(signal.origin)},
                                           {Key::outcome, decode::outcome_name(signal.outcome)},
                                           {Key::fate, correlate::end_name(signal.end)}};
    const decode::Task& taker = signal.receiver.tid != 0 ? signal.receiver : signal.target;
    if (!signal.matched() || taker.tid == 0) {
        out_.instant(from, sent_ns, sent, what);
        return;
    }
    const std::uint64_t taken_ns = std::max(sent_ns, signal.ended_ns);
    out_.arrow({from, sent_ns, sent, what},
               {track_of(taker, taken_ns), taken_ns, out_.name(number + " taken"),
                {{Key::sender, sender},
                 {Key::fate, correlate::end_name(signal.end)},
                 {Key::latency_ns, signal.latency_ns()}}});
}

void Perfetto::add(const correlate::Orphan& orphan)
{
    if (orphan.receiver.tid == 0) {
        return;
    }
    const bool group = orphan.why == correlate::Orphan::Why::group_exit;
    out_.instant(track_of(orphan.receiver, orphan.time_ns), orphan.time_ns,
                 out_.name(decode::signal_name(orphan.signal) + " taken"),
                 {{Key::sender, std::string_view(group ? "group exit" : "not seen")}});
}

void Perfetto::add(const diagnose::Finding& finding, std::uint64_t start_ns)
{
    const std::string text = sentence(finding.text), advice = sentence(finding.advice);
    out_.instant(findings_, std::max(finding.at_ns, start_ns),
                 out_.name(std::string(diagnose::info(finding.code).name)),
                 {{Key::severity, diagnose::name(finding.severity)},
                  {Key::text, text},
                  {Key::advice, advice},
                  {Key::duration_ns, finding.duration_ns}});
}

Result<void> Perfetto::finish(const aggregate::Report& report,
                              const diagnose::Findings& findings)
{
    data_.finish();
    for (const diagnose::Finding& finding : findings) {
        add(finding, report.host.start_ns);
    }
    return out_.commit();
}

}  // namespace

Made perfetto(AtomicFile file) { return std::make_unique<Perfetto>(std::move(file)); }

}  // namespace ipcscope::exports
