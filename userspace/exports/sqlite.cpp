// SPDX-License-Identifier: GPL-2.0-only
// A trace as tables of a SQLite database.  docs/export.md explains each column; a unit test
// compares the two.
#include <map>
#include <unordered_map>
#include <utility>

#include "aggregate/channel.hpp"
#include "base/units.hpp"
#include "correlate/end_names.hpp"
#include "decode/names.hpp"
#include "decode/time.hpp"
#include "exports/call_waits.hpp"
#include "exports/database.hpp"
#include "exports/exporter.hpp"
#include "exports/text.hpp"
#include "render/json_text.hpp"
#include "render/names.hpp"

namespace ipcscope::exports {
namespace {

using Number = std::optional<std::int64_t>;
using Text = std::optional<std::string_view>;

constexpr int kSchema = 1;

constexpr const char kTables[] = R"(
CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT);
CREATE TABLE tasks(
  id INTEGER PRIMARY KEY, pid INTEGER, tid INTEGER, name TEXT, process TEXT, ppid INTEGER,
  uid INTEGER, user TEXT, cgroup TEXT, first_ns INTEGER, born_ns INTEGER, exit_ns INTEGER,
  exit_code INTEGER, calls INTEGER, span_ns INTEGER, running_ns INTEGER, runnable_ns INTEGER,
  blocked_ns INTEGER, sleeping_ns INTEGER, polling_ns INTEGER, uninterruptible_ns INTEGER,
  killable_ns INTEGER, other_ns INTEGER);
CREATE TABLE signals(
  id INTEGER PRIMARY KEY, signal TEXT, number INTEGER, sent_ns INTEGER, sender_pid INTEGER,
  sender_tid INTEGER, sender TEXT, origin TEXT, target_pid INTEGER, target_tid INTEGER,
  target TEXT, target_state TEXT, disposition TEXT, fatal INTEGER, blocked INTEGER,
  outcome TEXT, ended TEXT, receiver_tid INTEGER, dequeued_ns INTEGER, ended_ns INTEGER,
  latency_ns INTEGER);
CREATE TABLE handlers(
  id INTEGER PRIMARY KEY, task INTEGER, pid INTEGER, tid INTEGER, name TEXT, signal TEXT,
  number INTEGER, start_ns INTEGER, end_ns INTEGER, run_ns INTEGER, returned INTEGER,
  depth INTEGER);
CREATE TABLE calls(
  id INTEGER PRIMARY KEY, task INTEGER, pid INTEGER, tid INTEGER, name TEXT, op TEXT,
  type TEXT, dev TEXT, object INTEGER, peer INTEGER, enter_ns INTEGER, exit_ns INTEGER,
  latency_ns INTEGER, requested INTEGER, ret INTEGER, bytes INTEGER, nonblock INTEGER,
  sleeps INTEGER, running_ns INTEGER, runnable_ns INTEGER, blocked_ns INTEGER,
  uninterruptible_ns INTEGER, waker_tid INTEGER, used INTEGER, used_limit INTEGER,
  unfinished INTEGER, before_trace INTEGER);
CREATE TABLE waits(
  id INTEGER PRIMARY KEY, task INTEGER, pid INTEGER, tid INTEGER, name TEXT, call INTEGER,
  state TEXT, waits_for TEXT, type TEXT, dev TEXT, object INTEGER, start_ns INTEGER,
  end_ns INTEGER, wait_ns INTEGER, waker_tid INTEGER, waker TEXT, unfinished INTEGER);
CREATE TABLE findings(
  id INTEGER PRIMARY KEY, code TEXT, severity TEXT, at_ns INTEGER, duration_ns INTEGER,
  pid INTEGER, tid INTEGER, name TEXT, text TEXT, advice TEXT, evidence TEXT, stack TEXT);
CREATE TABLE finding_tasks(finding INTEGER, role TEXT, pid INTEGER, tid INTEGER, name TEXT);
CREATE TABLE losses(cpu INTEGER, kind TEXT, cause TEXT, count INTEGER);
CREATE TABLE ledger(kind TEXT, generated INTEGER, shown INTEGER, filtered INTEGER, lost INTEGER);
)";

/// A thread, from its birth, or when it was first seen, until it is gone.
struct TaskRow {
    std::int64_t id = 0;
    decode::Task task;
    Comm process;
    std::optional<std::uint32_t> ppid;
    std::optional<std::uint32_t> uid;
    std::uint64_t cgroup = 0;
    std::uint64_t first_ns = 0;
    std::optional<std::uint64_t> born_ns;
    std::optional<std::uint64_t> exit_ns;
    std::optional<std::int32_t> exit_code;
    std::uint64_t calls = 0;
    std::uint64_t blocked_ns = 0;      ///< inside of calls
    decode::Between time;              ///< all the rest, inside and between
};

class Sqlite final : public Exporter {
public:
    explicit Sqlite(Database database) : database_(std::move(database)) {}

    Result<void> begin();

    void host(const source::Host& host) override { start_ns_ = host.start_ns; }
    void event(const decode::Event& event) override
    {
        std::visit([&](const auto& body) { on(event, body); }, event.body);
    }
    void interval(const correlate::Interval& interval) override
    {
        if (const auto* signal = std::get_if<correlate::SignalInterval>(&interval)) {
            add(*signal);
        }
    }
    Result<void> finish(const aggregate::Report& report,
                        const diagnose::Findings& findings) override;
    const Result<void>& result() const override { return result_; }

private:
    void on(const decode::Event& event, const decode::SignalGenerate& body)
    {
        if (decode::names_sender(decode::origin_of(body))) task_of(event);
    }
    void on(const decode::Event& event, const decode::SignalTake&) { task_of(event); }
    void on(const decode::Event&, const decode::Kill&) {}
    void on(const decode::Event& event, const decode::Thread& body);
    void on(const decode::Event& event, const decode::ThreadTime& body);
    void on(const decode::Event& event, const decode::ThreadFree&);
    void on(const decode::Event& event, const decode::Slice& body);
    void on(const decode::Event& event, const decode::Call& body);
    void on(const decode::Event&, const decode::Symbol&) {}
    void on(const decode::Event&, const decode::Holder&) {}
    void on(const decode::Event&, const decode::Observed&) {}
    void on(const decode::Event& event, const decode::Process& body);
    void on(const decode::Event&, const decode::User& body)
    {
        users_.insert_or_assign(body.record.id, body.name);
    }
    void on(const decode::Event&, const decode::Cgroup& body)
    {
        cgroups_.insert_or_assign(body.record.id, body.path);
    }
    void on(const decode::Event&, const decode::Command&) {}
    void on(const decode::Event&, const decode::FdReceived&) {}
    void on(const decode::Event& event, const decode::SignalHandler& body);
    void on(const decode::Event&, const decode::SignalMask&) {}

    void add(const correlate::SignalInterval& signal);
    void add(const diagnose::Finding& finding);
    void add(const aggregate::Report& report);
    void add(const aggregate::LossLedger& loss);
    TaskRow& task_of(const decode::Event& event);
    void write(const TaskRow& row);
    void end(std::uint32_t tid);
    void put_wait(const TaskRow& row, const Wait& wait, const decode::Call* call,
                  bool unfinished);
    Text waker_of(std::uint32_t tid);

    /// From the trace's start; of what was before it, negative.
    std::int64_t at(std::uint64_t time_ns) const
    {
        return static_cast<std::int64_t>(time_ns - start_ns_);
    }
    Number at_or_null(std::uint64_t time_ns) const
    {
        return time_ns == 0 ? Number() : Number(at(time_ns));
    }
    void check(int code)
    {
        if (code != SQLITE_DONE && result_) {
            result_ = tl::unexpected<Error>(database_.error(code));
        }
    }

    Database database_;   ///< closed after the statements
    Insert meta_, tasks_, signals_, handlers_, calls_, waits_, findings_, finding_tasks_, losses_,
        ledger_;
    Result<void> result_;
    Names names_;
    CallWaits call_waits_;
    std::unordered_map<std::uint32_t, TaskRow> live_;   ///< by tid
    std::map<std::uint64_t, SafeText> users_;
    std::map<std::uint64_t, SafeText> cgroups_;
    std::uint64_t start_ns_ = 0;
    std::int64_t next_task_ = 1, next_call_ = 1, next_finding_ = 1;
};

Result<void> Sqlite::begin()
{
    struct Statement {
        const char* table;
        std::size_t columns;
        Insert* insert;
    };
    const Statement statements[] = {
        {"meta", 2, &meta_},         {"tasks", 23, &tasks_},
        {"signals", 21, &signals_},  {"calls", 27, &calls_},
        {"waits", 17, &waits_},      {"findings", 12, &findings_},
        {"finding_tasks", 5, &finding_tasks_}, {"losses", 4, &losses_},
        {"ledger", 5, &ledger_},     {"handlers", 12, &handlers_},
    };
    Result<void> done = database_.run(kTables);
    for (const Statement& statement : statements) {
        if (!done) {
            break;
        }
        auto made = database_.insert_into(statement.table, statement.columns);
        if (!made) {
            return tl::unexpected<Error>(made.error());
        }
        *statement.insert = std::move(*made);
    }
    return done;
}

TaskRow& Sqlite::task_of(const decode::Event& event)
{
    const auto [at, is_new] = live_.try_emplace(event.task.tid);
    TaskRow& row = at->second;
    if (is_new) {
        row.id = next_task_++;
        row.task = event.task;
        row.first_ns = event.time_ns;
    }
    if (!event.task.comm.empty()) {
        row.task = event.task;
    }
    if (!event.process.empty()) {
        row.process = event.process;
    }
    return row;
}

void Sqlite::on(const decode::Event& event, const decode::Thread& body)
{
    const bool born = body.reason == IPCSCOPE_THREAD_FORK;
    if (born) {
        end(event.task.tid);   // its number was another's
    }
    TaskRow& row = task_of(event);
    row.ppid = body.ppid;
    row.uid = body.uid;
    row.cgroup = body.cgroup;
    if (born) {
        row.born_ns = event.time_ns;
    }
}

void Sqlite::on(const decode::Event& event, const decode::Process& body)
{
    TaskRow& row = task_of(event);
    row.ppid = body.record.ppid;
    row.uid = body.record.uid;
    row.cgroup = body.record.cgroup;
}

void add(decode::Between& sum, const decode::Between& more)
{
    sum.span_ns += more.span_ns;
    sum.running_ns += more.running_ns;
    sum.runnable_ns += more.runnable_ns;
    sum.sleeping_ns += more.sleeping_ns;
    sum.polling_ns += more.polling_ns;
    sum.uninterruptible_ns += more.uninterruptible_ns;
    sum.killable_ns += more.killable_ns;
    sum.other_ns += more.other_ns;
}

void Sqlite::on(const decode::Event& event, const decode::ThreadTime& body)
{
    TaskRow& row = task_of(event);
    exports::add(row.time, decode::between(event, body));
    for (const Wait& wait : call_waits_.rest(event.task.tid)) {
        put_wait(row, wait, nullptr, event.unfinished && wait.end_ns == event.time_ns);
    }
    if (event.kind == IPCSCOPE_THREAD_EXIT) {
        row.exit_ns = event.time_ns;
        row.exit_code = body.exit_code;
    }
}

void Sqlite::on(const decode::Event& event, const decode::ThreadFree&)
{
    end(event.task.tid);
}

void Sqlite::on(const decode::Event& event, const decode::Slice& body)
{
    TaskRow& row = task_of(event);
    if (!call_waits_.note(event, body)) {
        put_wait(row, {decode::state_of(body.state), body.start_ns, body.end_ns, body.waker_tid},
                 nullptr, event.unfinished);
    }
}

void Sqlite::on(const decode::Event& event, const decode::SignalHandler& body)
{
    const TaskRow& row = task_of(event);
    check(handlers_.row(std::nullopt, row.id, row.task.tgid, row.task.tid,
                        names_.of(row.task.comm), decode::signal_name(body.sig), body.sig,
                        at(body.enter_ns), at(event.time_ns),
                        since(event.time_ns, body.enter_ns), body.left == 0, body.depth));
}

void Sqlite::put_wait(const TaskRow& row, const Wait& wait, const decode::Call* call,
                      bool unfinished)
{
    const bool has = call != nullptr;
    const std::string dev = has ? render::device(call->dev) : std::string();
    const std::string_view what =
        has && wait.state == decode::State::interruptible ? waits_for(*call) : "";
    check(waits_.row(std::nullopt, row.id, row.task.tgid, row.task.tid, names_.of(row.task.comm),
                     has ? Number(next_call_) : Number(), decode::state_name(wait.state),
                     what.empty() ? Text() : Text(what),
                     has ? Text(decode::object_name(decode::type_of(*call))) : Text(),
                     has ? Text(dev) : Text(),
                     has ? Number(static_cast<std::int64_t>(call->object)) : Number(),
                     at(wait.start_ns), at(wait.end_ns), since(wait.end_ns, wait.start_ns),
                     wait.waker_tid == 0 ? Number() : Number(wait.waker_tid),
                     waker_of(wait.waker_tid), unfinished));
}

Text Sqlite::waker_of(std::uint32_t tid)
{
    const auto found = live_.find(tid);
    return tid == 0 || found == live_.end() || found->second.task.comm.empty()
               ? Text()
               : Text(names_.of(found->second.task.comm));
}

void Sqlite::on(const decode::Event& event, const decode::Call& call)
{
    TaskRow& row = task_of(event);
    const decode::Inside inside = decode::inside(event, call);
    ++row.calls;
    // The time of one that had begun before the trace is in the thread's own records.
    if (!event.before_trace) {
        exports::add(row.time, decode::between(call));
        row.time.span_ns += inside.span_ns;
        row.time.running_ns += inside.running_ns;
        row.time.runnable_ns += inside.runnable_ns;
        row.time.uninterruptible_ns += inside.uninterruptible_ns;
        row.blocked_ns += inside.blocked_ns;
    }
    for (const Wait& wait : call_waits_.of(event, call)) {
        put_wait(row, wait, wait.in_call ? &call : nullptr,
                 event.unfinished && wait.end_ns == event.time_ns);
    }
    const auto level = aggregate::level_of(call);
    const bool returned = !event.unfinished && !event.before_trace;
    check(calls_.row(next_call_, row.id, event.task.tgid, event.task.tid,
                     names_.of(event.task.comm), decode::op_name(decode::op_of(call)),
                     decode::object_name(decode::type_of(call)), render::device(call.dev),
                     call.object, call.peer == 0 ? Number() : Number(call.peer),
                     at(call.enter_ns), returned ? Number(at(event.time_ns)) : Number(),
                     returned ? Number(inside.span_ns) : Number(), call.requested,
                     returned ? Number(call.ret) : Number(),
                     returned ? Number(aggregate::moved_bytes(call)) : Number(),
                     (call.flags & IPCSCOPE_CALL_NONBLOCK) != 0, call.sleeps, inside.running_ns,
                     inside.runnable_ns, inside.blocked_ns, inside.uninterruptible_ns,
                     call.waker_tid == 0 ? Number() : Number(call.waker_tid),
                     level ? Number(level->used) : Number(),
                     level ? Number(level->limit) : Number(), event.unfinished,
                     event.before_trace));
    ++next_call_;
}

void Sqlite::end(std::uint32_t tid)
{
    const auto found = live_.find(tid);
    if (found != live_.end()) {
        write(found->second);
        live_.erase(found);
    }
    call_waits_.rest(tid);
}

Text name_in(const std::map<std::uint64_t, SafeText>& names, std::optional<std::uint64_t> id)
{
    const auto found = id ? names.find(*id) : names.end();
    return found == names.end() ? Text() : Text(found->second.view());
}

void Sqlite::write(const TaskRow& row)
{
    const decode::Between& time = row.time;
    const auto instant = [&](const std::optional<std::uint64_t>& ns) {
        return ns ? Number(at(*ns)) : Number();
    };
    check(tasks_.row(row.id, row.task.tgid, row.task.tid, names_.of(row.task.comm),
                     names_.of(row.process), row.ppid, row.uid,
                     name_in(users_, row.uid), name_in(cgroups_, row.cgroup), at(row.first_ns),
                     instant(row.born_ns), instant(row.exit_ns), row.exit_code, row.calls,
                     time.span_ns, time.running_ns, time.runnable_ns, row.blocked_ns,
                     time.sleeping_ns, time.polling_ns, time.uninterruptible_ns,
                     time.killable_ns, time.other_ns));
}

void Sqlite::add(const correlate::SignalInterval& signal)
{
    const bool sent_by = decode::names_sender(signal.origin);
    const bool matched = signal.matched();
    check(signals_.row(
        std::nullopt, decode::signal_name(signal.signal), signal.signal, at(signal.generated_ns),
        sent_by ? Number(signal.sender.tgid) : Number(),
        sent_by ? Number(signal.sender.tid) : Number(),
        sent_by ? Text(names_.of(signal.sender.comm)) : Text(),
        decode::origin_name(signal.origin), signal.target.tgid, signal.target.tid,
        names_.of(signal.target.comm), decode::state_name(signal.target_state),
        decode::disposition_name(signal.disposition), signal.fatal, signal.blocked,
        decode::outcome_name(signal.outcome), correlate::end_name(signal.end),
        matched && signal.receiver.tid != 0 ? Number(signal.receiver.tid) : Number(),
        at_or_null(signal.dequeued_ns), matched ? Number(at(signal.ended_ns)) : Number(),
        matched ? Number(signal.latency_ns()) : Number()));
}

void Sqlite::add(const diagnose::Finding& finding)
{
    const decode::Task* first =
        finding.subjects.empty() ? nullptr : &finding.subjects.front().task;
    const std::string stack = stack_json(finding);
    check(findings_.row(next_finding_, diagnose::info(finding.code).name,
                        diagnose::name(finding.severity), at_or_null(finding.at_ns),
                        finding.duration_ns == 0 ? Number() : Number(finding.duration_ns),
                        first ? Number(first->tgid) : Number(),
                        first && first->tid != 0 ? Number(first->tid) : Number(),
                        first ? Text(names_.of(first->comm)) : Text(), sentence(finding.text),
                        sentence(finding.advice), evidence_json(finding),
                        stack.empty() ? Text() : Text(stack)));
    for (const diagnose::Subject& subject : finding.subjects) {
        check(finding_tasks_.row(next_finding_, subject.role, subject.task.tgid,
                                 subject.task.tid == 0 ? Number() : Number(subject.task.tid),
                                 names_.of(subject.task.comm)));
    }
    ++next_finding_;
}

void Sqlite::add(const aggregate::LossLedger& loss)
{
    for (const aggregate::CpuLoss& one : loss.by_cpu) {
        check(losses_.row(one.cpu, decode::kind_name(one.kind), decode::loss_name(one.cause),
                          one.count));
    }
    for (unsigned kind = 1; kind < IPCSCOPE_KIND_COUNT; ++kind) {
        const aggregate::KindLoss& sums = loss.kinds[kind];
        if (sums.generated != 0) {
            check(ledger_.row(decode::kind_name(kind), sums.generated, sums.shown,
                              sums.filtered, sums.lost));
        }
    }
}

void Sqlite::add(const aggregate::Report& report)
{
    const source::Host& host = report.host;
    const auto put = [&](std::string_view key, const std::string& value) {
        check(meta_.row(key, std::string_view(value)));
    };
    put("schema", std::to_string(kSchema));
    put("kernel", render::safe(host.kernel));
    put("machine", render::safe(host.machine));
    put("hostname", render::safe(host.hostname));
    put("cpus", std::to_string(host.cpus));
    put("backend", render::safe(host.backend));
    put("tool_version", render::safe(host.tool_version));
    put("start_ns", std::to_string(host.start_ns));
    put("realtime_offset_ns", std::to_string(host.realtime_offset_ns));
    put("duration_ns", std::to_string(since(report.end_ns, host.start_ns)));
    put("complete", report.complete ? "1" : "0");
    put("exact", report.loss.exact ? "1" : "0");
}

Result<void> Sqlite::finish(const aggregate::Report& report, const diagnose::Findings& findings)
{
    for (const auto& [tid, row] : std::exchange(live_, {})) {
        write(row);
    }
    for (const diagnose::Finding& finding : findings) {
        add(finding);
    }
    add(report.loss);
    add(report);
    for (Insert* insert : {&meta_, &tasks_, &signals_, &calls_, &waits_, &findings_,
                           &finding_tasks_, &losses_, &ledger_, &handlers_}) {
        *insert = Insert();
    }
    return result_ ? database_.commit() : result_;
}

}  // namespace

Made sqlite(AtomicFile file)
{
    auto database = Database::create(std::move(file));
    if (!database) {
        return tl::unexpected<Error>(database.error());
    }
    auto made = std::make_unique<Sqlite>(std::move(*database));
    if (auto begun = made->begin(); !begun) {
        return tl::unexpected<Error>(begun.error());
    }
    return made;
}

}  // namespace ipcscope::exports
