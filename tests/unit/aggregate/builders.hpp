// SPDX-License-Identifier: GPL-2.0-only
// Events and ledgers for the tests of this stage, in a few words.
#pragma once

#include <cstdint>
#include <string>
#include <utility>

#include "aggregate/aggregator.hpp"

namespace ipcscope::aggregate::test {

inline constexpr std::uint64_t kMs = 1'000'000;

inline decode::Task task(std::uint32_t tgid, const std::string& name = "x",
                         std::uint32_t tid = 0)
{
    return {tgid, tid ? tid : tgid, SafeText::escape(name)};
}

inline decode::Event event(std::uint64_t time_ns, decode::Task who, unsigned kind,
                           decode::Body body)
{
    decode::Event out;
    out.time_ns = time_ns;
    out.task = std::move(who);
    out.kind = kind;
    out.body = std::move(body);
    return out;
}

/// A call on pipe `inode`, of 16 slots, from `enter` to `exit`.
inline decode::PipeOp op(bool write, std::uint64_t inode, std::uint64_t enter_ns,
                         std::int64_t ret, std::uint64_t blocked_ns = 0)
{
    decode::PipeOp out;
    out.write = write;
    out.inode = inode;
    out.dev = 12;
    out.enter_ns = enter_ns;
    out.ret = ret;
    out.requested_bytes = 4096;
    out.blocked_ns = blocked_ns;
    out.sleeps = blocked_ns > 0 ? 1 : 0;
    out.ring_slots = 16;
    return out;
}

inline decode::Event call(std::uint64_t exit_ns, decode::Task who, decode::PipeOp body)
{
    const unsigned kind = body.write ? IPCSCOPE_PIPE_WRITE : IPCSCOPE_PIPE_READ;
    return event(exit_ns, std::move(who), kind, body);
}

inline Report finish(Aggregator& aggregator, const source::Ledger& ledger = {},
                     bool complete = true)
{
    return aggregator.finish({}, ledger, 1000, 0, complete, complete ? "" : "cut");
}

}  // namespace ipcscope::aggregate::test
