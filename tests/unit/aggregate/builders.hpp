// SPDX-License-Identifier: GPL-2.0-only
// Events and ledgers for the tests of this stage, in a few words.
#pragma once

#include <algorithm>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "aggregate/aggregator.hpp"

namespace ipcscope::aggregate::test {

inline constexpr std::uint64_t kMs = 1'000'000;

inline decode::Task task(std::uint32_t tgid, std::string_view name = "x", std::uint32_t tid = 0)
{
    return {tgid, tid ? tid : tgid, Comm(name)};
}

inline std::string name(const decode::Task& task) { return task.comm.text().str(); }

inline decode::Event event(std::uint64_t time_ns, decode::Task who, unsigned kind,
                           decode::Body body)
{
    decode::Event out;
    out.time_ns = time_ns;
    out.task = who;
    out.process = who.comm;
    out.kind = kind;
    out.body = std::move(body);
    return out;
}

/// A call on pipe `inode`, of 16 pages, from `enter_ns` on, of which a read that does not sleep
/// finds one used; the thread ran since `since_ns`, where nothing else is said.
inline decode::Call op(bool write, std::uint64_t inode, std::uint64_t enter_ns,
                       std::int32_t ret, std::uint64_t blocked_ns = 0)
{
    decode::Call out{};
    out.type = IPCSCOPE_OBJECT_PIPE;
    out.op = write ? IPCSCOPE_OP_WRITE : IPCSCOPE_OP_READ;
    out.object = inode;
    out.dev = 12;
    out.since_ns = out.enter_ns = enter_ns;
    out.ret = ret;
    out.requested = 4096;
    out.blocked_ns = blocked_ns;
    out.sleeps = blocked_ns > 0 ? 1 : 0;
    out.tail.pipe.ring_slots = 16;
    out.tail.pipe.used_slots = !write && ret > 0 && blocked_ns == 0 ? 1 : 0;
    return out;
}

inline decode::Event call(std::uint64_t exit_ns, decode::Task who, decode::Call body)
{
    return event(exit_ns, who, IPCSCOPE_CALL_PIPE, body);
}

inline decode::Holder holder(std::uint64_t inode, bool reads, bool writes,
                             std::string_view path = {})
{
    decode::Holder out;
    out.record.object = inode;
    out.record.dev = 12;
    out.record.type = path.empty() ? IPCSCOPE_OBJECT_PIPE : IPCSCOPE_OBJECT_FIFO;
    out.record.reads = reads;
    out.record.writes = writes;
    out.path = SafeText::escape(path);
    return out;
}

/// What a thread did until its end, or the trace's.
inline decode::Event thread_end(std::uint64_t time_ns, decode::Task who, std::uint64_t since_ns,
                                bool exit = true, std::uint64_t sleeping_ns = 0)
{
    decode::ThreadTime body{};
    body.since_ns = since_ns;
    body.between_sleeping_ns = sleeping_ns;
    auto out = event(time_ns, who, exit ? IPCSCOPE_THREAD_EXIT : IPCSCOPE_THREAD_TIME, body);
    out.unfinished = !exit;
    return out;
}

/// Calls of a thread follow each other: it ran from one to the next, where they do not
/// say what else it did.
class Trace : public Aggregator {
public:
    void event(decode::Event what)
    {
        if (auto* body = std::get_if<decode::Call>(&what.body)) {
            const auto last = last_ns_.find(what.task.tid);
            if (last != last_ns_.end() && body->since_ns == body->enter_ns)
                body->since_ns = std::min<std::uint64_t>(last->second, body->enter_ns);
            last_ns_[what.task.tid] = what.time_ns;
        }
        Aggregator::event(what);
    }

private:
    std::map<std::uint32_t, std::uint64_t> last_ns_;   ///< by tid
};

inline Report finish(const Aggregator& aggregator, const source::Ledger& ledger = {},
                     bool complete = true)
{
    return aggregator.snapshot({ledger, 1000, 0, complete, complete ? "" : "cut"});
}

}  // namespace ipcscope::aggregate::test
