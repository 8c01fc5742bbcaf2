// SPDX-License-Identifier: GPL-2.0-only
// One event as a line of JSON, by the names of record.h.
#include <nlohmann/json.hpp>

#include "decode/decode.hpp"
#include "render/json_text.hpp"
#include "render/render.hpp"

namespace ipcscope::render {
namespace {

using Json = nlohmann::ordered_json;

const char* disposition_name(decode::Disposition disposition)
{
    switch (disposition) {
    case decode::Disposition::standard: return "default";
    case decode::Disposition::ignore: return "ignore";
    case decode::Disposition::handler: return "handler";
    case decode::Disposition::unknown: break;
    }
    return "unknown";
}

std::string state(decode::State state) { return {decode::state_letter(state)}; }

void put_signal(Json& out, unsigned signal)
{
    out["sig"] = signal;
    // 0: get_signal() found nothing to run a handler for.
    out["signal"] = signal == 0 ? Json() : Json(decode::signal_name(signal));
}

void put(Json& out, const decode::SignalGenerate& body)
{
    out["value"] = body.value;
    out["target_tgid"] = body.target.tgid;
    out["target_tid"] = body.target.tid;
    out["target_comm"] = body.target.comm.str();
    out["si_code"] = body.si_code;
    out["sender_pid"] = body.sender_pid;
    put_signal(out, body.signal);
    out["result"] = std::string(decode::outcome_name(body.outcome));
    out["target_state"] = state(body.target_state);
    out["shared"] = body.shared;
    out["origin"] = origin_name(body.origin);
    out["disposition"] = disposition_name(body.disposition);
    out["blocked"] = body.blocked;
    out["fatal"] = body.fatal;
    out["unkillable"] = body.unkillable;
    out["has_info"] = body.has_info;
}

void put(Json& out, const decode::SignalSend& body)
{
    out["enter_ns"] = body.enter_ns;
    out["target_tgid"] = body.target_tgid;
    out["target_tid"] = body.target_tid;
    out["ret"] = body.ret;
    put_signal(out, body.signal);
}

void put(Json& out, const decode::SignalDeliver& body)
{
    out["si_code"] = body.si_code;
    out["sender_pid"] = body.sender_pid;
    out["sa_flags"] = body.sa_flags;
    put_signal(out, body.signal);
    out["disposition"] = disposition_name(body.disposition);
    out["has_info"] = body.has_info;
}

void put(Json& out, const decode::SignalDequeue& body)
{
    out["value"] = body.value;
    out["si_code"] = body.si_code;
    out["sender_pid"] = body.sender_pid;
    put_signal(out, body.signal);
}

void put(Json& out, const decode::SignalGet& body)
{
    out["enter_ns"] = body.enter_ns;
    put_signal(out, body.signal);
}

void put(Json& out, const decode::PipeOp& body)
{
    out["enter_ns"] = body.enter_ns;
    out["inode"] = body.inode;
    out["requested_bytes"] = body.requested_bytes;
    out["ret"] = body.ret;
    out["blocked_ns"] = body.blocked_ns;
    out["runqueue_ns"] = body.runqueue_ns;
    out["uninterruptible_ns"] = body.uninterruptible_ns;
    out["woken_ns"] = body.woken_ns;
    out["dev"] = device(body.dev);
    out["ring_slots"] = body.ring_slots;
    out["used_slots"] = body.used_slots;
    out["readers"] = body.readers;
    out["writers"] = body.writers;
    out["sleeps"] = body.sleeps;
    out["fifo"] = body.fifo;
    out["nonblock"] = body.nonblock;
    out["packet"] = body.packet;
}

void put(Json& out, const decode::Kill& body)
{
    out["target_tgid"] = body.target.tgid;
    out["stuck_tid"] = body.target.tid;
    out["target_comm"] = body.target.comm.str();
    put_signal(out, body.signal);
    out["state"] = state(body.state);
    out["origin"] = origin_name(body.origin);
    out["stuck_threads"] = body.stuck_threads;
    out["stack_depth"] = body.stack.size();
    out["result"] = std::string(decode::outcome_name(body.outcome));
    out["stack"] = body.stack;
}

void put(Json& out, const decode::TaskExit& body)
{
    out["exit_code"] = body.exit_code;
    out["group_dead"] = body.group_dead;
}

/// Its own names are those of the header too; the header tells only who ran
/// the callback, so these get a prefix.
void put(Json& out, const decode::TaskFree& body)
{
    out["freed_tgid"] = body.task.tgid;
    out["freed_tid"] = body.task.tid;
    out["freed_comm"] = body.task.comm.str();
}

void put(Json& out, const decode::Symbol& body)
{
    out["id"] = body.id;
    out["text"] = body.text.str();
}

void put(Json& out, const decode::PipeEnd& body)
{
    out["inode"] = body.inode;
    out["dev"] = device(body.dev);
    out["reads"] = body.reads;
    out["writes"] = body.writes;
    out["fifo"] = body.fifo;
    out["path"] = body.path.str();
}

}  // namespace

std::string json_line(const decode::Event& event)
{
    Json out;
    out["time_ns"] = event.time_ns;
    out["lost_before"] = event.lost_before;
    out["cpu"] = event.cpu;
    out["kind"] = std::string(decode::kind_name(event.kind));
    out["tgid"] = event.task.tgid;
    out["tid"] = event.task.tid;
    out["comm"] = event.task.comm.str();
    out["copy_fault"] = event.copy_fault;
    out["unfinished"] = event.unfinished;
    out["interrupt"] = event.interrupt;
    std::visit([&](const auto& body) { put(out, body); }, event.body);
    return out.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace ipcscope::render
