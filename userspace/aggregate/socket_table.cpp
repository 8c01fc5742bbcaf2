// SPDX-License-Identifier: GPL-2.0-only
#include "aggregate/socket_table.hpp"

#include <algorithm>

#include "aggregate/channel_table.hpp"
#include "aggregate/match_in_order.hpp"

namespace ipcscope::aggregate {
namespace {

constexpr std::size_t kMostHolders = 16;
constexpr std::size_t kMostPasses = 64;
constexpr std::size_t kMostFiles = 16;
constexpr std::size_t kMostFds = 253;   // SCM_MAX_FD, of one message

bool is_stream(const decode::Call& call)
{
    return decode::type_of(call) == decode::ObjectType::unix_stream;
}

/// Bytes of a stream, else messages.
std::uint64_t units_of(const decode::Call& call)
{
    return is_stream(call) ? static_cast<std::uint64_t>(call.ret) : 1;
}

FdPass& pass_between(std::vector<FdPass>& passes, const Task& sender, const Task& receiver)
{
    const auto found = std::ranges::find_if(passes, [&](const FdPass& pass) {
        return pass.sender == sender && pass.receiver == receiver;
    });
    if (found != passes.end()) {
        return *found;
    }
    if (passes.size() == kMostPasses) {
        passes.pop_back();
    }
    return passes.emplace_back(FdPass{sender, receiver});
}

/// One row for all that are of the same thing; a new one replaces the oldest.
void add(std::vector<PassedFile>& rows, const decode::FdReceived& file)
{
    const auto same = std::ranges::find_if(rows, [&](const PassedFile& row) {
        return row.file.inode == file.inode && row.file.dev == file.dev &&
               std::ranges::equal(row.file.name, file.name);
    });
    PassedFile row{file, 1};
    if (same != rows.end()) {
        row.count += same->count;
        rows.erase(same);
    } else if (rows.size() == kMostFiles) {
        rows.erase(rows.begin());
    }
    rows.push_back(row);
}

/// A message that came with descriptors.
FdPass& pass(SocketRow& row, const Task& sender, const Task& receiver, std::uint32_t fds,
             const std::vector<decode::FdReceived>& files)
{
    FdPass& pass = pass_between(row.passes, sender, receiver);
    ++pass.messages;
    pass.received += fds;
    for (const decode::FdReceived& file : files) {
        add(pass.files, file);
    }
    return pass;
}

}  // namespace

SocketTable::Known& SocketTable::know(std::uint64_t object, std::uint8_t type)
{
    Known& known = known_.use(object);
    known.type = type;
    return known;
}

void SocketTable::call(const decode::Event& event, const decode::Call& call)
{
    losses_.note(event);
    Known& known = know(call.object, call.type);
    const auto op = decode::op_of(call);
    Files files = op == decode::Op::receive ? take_files(event.task.tid) : Files{};
    if (op == decode::Op::accept) {
        return;   // its peer is another socket of the same process
    }
    if (call.peer != 0) {
        known.peer = call.peer;
        know(call.peer, call.type).peer = call.object;
    }
    if (event.unfinished || call.ret < 0 || (call.flags & IPCSCOPE_CALL_PEEK) != 0) {
        return;
    }
    if (op == decode::Op::send) {
        send(event, call);
    } else if (op == decode::Op::receive) {
        receive(event, call, std::move(files));
    }
}

/// What is queued now is not known apart from what comes.
void SocketTable::lose_step(Flow& flow)
{
    flow.row.unmatched += flow.sent.size();
    flow.sent.clear();
    flow.taken.clear();
    flow.in_step = false;
}

void SocketTable::received(const decode::Event& event, const decode::FdReceived& file)
{
    Files& files = files_.use(event.task.tid);
    if (!files.empty() && files.front().socket != file.socket) {
        files.clear();   // the record of that receive was lost
    }
    if (files.size() < kMostFds) {
        files.push_back(file);
    }
}

SocketTable::Files SocketTable::take_files(std::uint32_t tid)
{
    Files* found = files_.find(tid);
    if (found == nullptr) {
        return {};
    }
    Files files = std::move(*found);
    files_.erase(tid);
    return files;
}

void SocketTable::send(const decode::Event& event, const decode::Call& call)
{
    if (is_stream(call) && call.ret == 0) {
        return;
    }
    Flow& flow = flows_.use(call.object);
    const bool empty = call.tail.socket.queued_bytes == 0;
    flow.row.type = decode::type_of(call);
    ++flow.row.sends;
    flow.row.bytes += static_cast<std::uint64_t>(call.ret);
    flow.row.sender = process_of(event);
    if (flow.in_step && losses_.gap_ns() != flow.gap_ns) {
        lose_step(flow);
    }
    if (!flow.in_step && empty) {
        // Before the first of all its sends, a receiver that found nothing waited for it.
        if (flow.begun) {
            flow.taken.clear();
            flow.since_ns = call.enter_ns;
        }
        flow.in_step = true;
        flow.gap_ns = losses_.gap_ns();
    }
    flow.begun = true;
    flow.row.concurrent += call.enter_ns < flow.last_send_ns;
    flow.last_send_ns = event.time_ns;
    if (!flow.in_step) {
        ++flow.row.unmatched;
        return;
    }
    flow.sent.push_back({call.enter_ns, event.time_ns, units_of(call),
                         static_cast<std::uint64_t>(call.ret), call.tail.socket.passed_fds,
                         event.task.tid, process_of(event), false});
    match(flow);
}

void SocketTable::receive(const decode::Event& event, const decode::Call& call, Files files)
{
    const Known* known = known_.find(call.object);
    Flow* flow = known->peer == 0 ? nullptr : &flows_.use(known->peer);
    if (flow == nullptr || (is_stream(call) && call.ret == 0)) {
        return;
    }
    flow->row.type = decode::type_of(call);
    flow->row.receiver = process_of(event);
    flow->row.concurrent += call.enter_ns < flow->last_receive_ns;
    flow->last_receive_ns = event.time_ns;
    if (flow->in_step && losses_.gap_ns() != flow->gap_ns) {
        lose_step(*flow);
    }
    const bool found_nothing = call.tail.socket.queued_bytes == 0;
    const bool slept = call.sleeps != 0;
    const std::uint64_t ready_ns =
        slept ? event.time_ns - std::min<std::uint64_t>(call.woken_before_ns, event.time_ns)
              : call.enter_ns;
    if (flow->begun ? !flow->in_step || ready_ns < flow->since_ns : !found_nothing) {
        // It took what was queued before: who sent it, is not known.
        if (call.tail.socket.passed_fds != 0) {
            pass(flow->row, {}, process_of(event), call.tail.socket.passed_fds, files);
        }
        return;
    }
    flow->taken.push_back({call.enter_ns, event.time_ns, units_of(call),
                           call.tail.socket.passed_fds, slept ? call.waker_tid : 0,
                           call.woken_before_ns, process_of(event), std::move(files)});
    match(*flow);
}

void SocketTable::take(Flow& flow, Sent& sent, Taken& taken)
{
    SocketRow& row = flow.row;
    if (!sent.begun && (sent.fds != 0 || taken.fds != 0)) {
        pass(row, sent.process, taken.process, taken.fds, taken.files).sent += sent.fds;
    }
    sent.begun = true;
    if (sent.left != 0) {
        return;
    }
    row.latency.add(taken.exit_ns - std::min(sent.enter_ns, taken.exit_ns));
    row.queued.add(taken.enter_ns - std::min(sent.exit_ns, taken.enter_ns));
    if (taken.waker_tid != 0 && taken.waker_tid == sent.tid) {
        row.woken.add(taken.woken_before_ns);
    }
}

void SocketTable::match(Flow& flow)
{
    const bool in_order = match_in_order(
        flow.sent, flow.taken,
        [&](Sent& sent, Taken& taken, std::uint64_t) { take(flow, sent, taken); });
    if (!in_order) {
        lose_step(flow);   // it took something else
        return;
    }
    if (flow.sent.size() > kMostQueued || flow.taken.size() > kMostQueued) {
        lose_step(flow);
    }
}

void SocketTable::holder(const decode::Event& event, const decode::Holder& holder)
{
    Known& known = know(holder.record.object, holder.record.type);
    if (!holder.path.empty()) {
        known.address = holder.path;
    }
    const Task process = process_of(event);
    const auto same = std::ranges::find(known.holders, process.tgid, &Task::tgid);
    if (same != known.holders.end()) {
        *same = process;
    } else if (known.holders.size() < kMostHolders) {
        known.holders.push_back(process);
    }
}

SocketEnd SocketTable::end(std::uint64_t object) const
{
    const Known* known = known_.find(object);
    return known == nullptr ? SocketEnd{object, {}, {}}
                            : SocketEnd{object, known->address, known->holders};
}

std::vector<SocketRow> SocketTable::rows() const
{
    std::vector<SocketRow> out;
    for (const auto& [object, flow] : flows_) {
        if (flow.row.sends == 0 && flow.row.passes.empty()) {
            continue;
        }
        SocketRow& row = out.emplace_back(flow.row);
        row.from = end(object);
        row.to = end(peer(object));
        row.unmatched += flow.sent.size();
        for (const Sent& sent : flow.sent) {
            row.fds_not_received += sent.begun ? 0 : sent.fds;
        }
    }
    std::ranges::stable_sort(out, [](const SocketRow& a, const SocketRow& b) {
        return std::tuple(b.sends, a.from.object) < std::tuple(a.sends, b.from.object);
    });
    return out;
}

std::uint64_t SocketTable::peer(std::uint64_t object) const
{
    const Known* known = known_.find(object);
    return known == nullptr ? 0 : known->peer;
}

void SocketTable::describe(std::vector<ObjectRow>& objects) const
{
    for (ObjectRow& row : objects) {
        if (!decode::is_unix(row.type)) {
            continue;
        }
        row.socket = end(row.object);
        row.peer = end(peer(row.object));
    }
}

}  // namespace ipcscope::aggregate
