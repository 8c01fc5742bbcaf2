// SPDX-License-Identifier: GPL-2.0-only
// `ipcscope inspect` for machines.  docs/inspect.md says what each field means,
// docs/inspect.schema.json is checked against this by the unit tests.
#include <array>

#include <nlohmann/json.hpp>

#include "render/inspect.hpp"
#include "render/json_text.hpp"
#include "render/names.hpp"

namespace ipcscope::render {
namespace {

using namespace inspect;
using Json = nlohmann::ordered_json;

constexpr std::array<std::string_view, kKinds> kNames{
    "pipe",     "fifo",  "unix_stream", "unix_dgram", "unix_seqpacket", "eventfd",
    "signalfd", "epoll", "pidfd",       "mqueue",     "shared_memory"};

constexpr const char kSchema[] = "ipcscope.inspect/1";

Json task(const Comm& comm, std::uint32_t pid) { return {{"pid", pid}, {"comm", comm.text().str()}}; }

/// Null where there is none.
Json maybe_task(const Comm& comm, std::uint32_t pid) { return pid == 0 ? Json() : task(comm, pid); }

Json waiters(const std::vector<Waiter>& waiting)
{
    Json all = Json::array();
    for (const Waiter& waiter : waiting) {
        all.push_back({{"tid", waiter.tid}, {"comm", waiter.comm.text().str()},
                       {"call", waiter.call}});
    }
    return all;
}

Json state(const State& state)
{
    struct Fields {
        Json operator()(std::monostate) const { return {}; }
        Json operator()(const Eventfd& of) const
        {
            return {{"count", of.count}, {"semaphore", of.semaphore}};
        }
        Json operator()(const Signalfd& of) const { return {{"signals", signal_names(of.mask)}}; }
        Json operator()(const Epoll& of) const { return {{"watched", of.watched}}; }
        Json operator()(const Pidfd& of) const { return {{"pid", of.pid}}; }
        Json operator()(const UnixSocket& of) const
        {
            return {{"listening", of.listening},
                    {"peer", of.peer ? Json(*of.peer) : Json()},
                    {"received", of.received ? Json(*of.received) : Json()},
                    {"backlog", of.backlog}};
        }
    };
    return std::visit(Fields{}, state);
}

Json object(const Item& item)
{
    Json others = Json::array();
    for (const Holder& holder : item.others) {
        others.push_back({{"pid", holder.pid},
                          {"comm", holder.comm.text().str()},
                          {"fds", holder.descriptors},
                          {"reads", holder.reads},
                          {"writes", holder.writes},
                          {"peer", holder.peer},
                          {"waiting", waiters(holder.waiting)}});
    }
    return {{"kind", inspected_name(item.kind)},
            {"id", item.object.id},
            {"fds", item.descriptors},
            {"reads", item.reads},
            {"writes", item.writes},
            {"name", safe(item.name)},
            {"bytes", item.bytes},
            {"state", state(item.state)},
            {"waiting", waiters(item.waiting)},
            {"others", std::move(others)}};
}

Json thread(const Thread& thread)
{
    Json stack = Json::array();
    for (const std::string& function : thread.stack) {
        stack.push_back(safe(function));
    }
    return {{"tid", thread.tid},
            {"comm", thread.comm.text().str()},
            {"state", std::string(1, thread.state)},
            {"call", thread.call.empty() ? Json() : Json(thread.call)},
            {"syscall", thread.number ? Json(*thread.number) : Json()},
            {"fds", thread.descriptors},
            {"wait_channel", thread.wait_channel.empty() ? Json() : Json(safe(thread.wait_channel))},
            {"pending", signal_names(thread.pending)},
            {"blocked", signal_names(thread.blocked)},
            {"stack", std::move(stack)}};
}

Json owned(std::int32_t id, std::uint32_t key, const Owner& owner)
{
    return {{"id", id}, {"key", key}, {"uid", owner.uid}, {"mode", owner.mode}};
}

Json set_of(const SemaphoreSet& set)
{
    Json waited = Json::array();
    for (const Semaphore& one : set.waited) {
        waited.push_back({{"number", one.number},
                          {"value", one.value},
                          {"waiting", one.waiting},
                          {"waiting_for_zero", one.waiting_for_zero},
                          {"last", maybe_task(one.last.comm, one.last.pid)}});
    }
    Json json = owned(set.id, set.key, set.owner);
    json["semaphores"] = set.semaphores;
    json["waited"] = std::move(waited);
    return json;
}

Json queue_of(const SysvQueue& queue)
{
    Json json = owned(queue.id, queue.key, queue.owner);
    json["messages"] = queue.messages;
    json["bytes"] = queue.bytes;
    json["max_bytes"] = queue.most_bytes;
    json["sender"] = maybe_task(queue.sender.comm, queue.sender.pid);
    json["receiver"] = maybe_task(queue.receiver.comm, queue.receiver.pid);
    return json;
}

Json segment_of(const Segment& segment)
{
    Json json = owned(segment.id, segment.key, segment.owner);
    json["bytes"] = segment.bytes;
    json["attached"] = segment.attached;
    json["destroyed"] = segment.destroyed;
    json["creator"] = maybe_task(segment.creator.comm, segment.creator.pid);
    json["last"] = maybe_task(segment.last.comm, segment.last.pid);
    return json;
}

Json posix_queue_of(const PosixQueue& queue)
{
    return {{"name", safe(queue.name)}, {"uid", queue.owner.uid}, {"mode", queue.owner.mode},
            {"bytes", queue.bytes}};
}

Json limit_of(const Limit& limit)
{
    return {{"what", limit.what}, {"sysctl", limit.sysctl}, {"used", limit.used},
            {"max", limit.most}};
}

template <typename T, typename Show>
Json all(const std::vector<T>& values, Show show)
{
    Json json = Json::array();
    for (const T& value : values) {
        json.push_back(show(value));
    }
    return json;
}

Json gap_text(const std::string& gap) { return safe(gap); }

Json space_of(const IpcNamespace& space)
{
    return {{"namespace", space.id},
            {"own", space.own},
            {"processes", space.processes},
            {"first", task(space.comm, space.first)},
            {"sysv_queues", all(space.queues, queue_of)},
            {"semaphore_sets", all(space.sets, set_of)},
            {"segments", all(space.segments, segment_of)},
            {"posix_queues", all(space.posix_queues, posix_queue_of)},
            {"limits", all(space.limits, limit_of)},
            {"missing", all(space.gaps, gap_text)}};
}

}  // namespace

std::string_view inspected_name(Kind kind) { return kNames[static_cast<std::size_t>(kind)]; }

std::string inspect_json(const Process& process)
{
    const Json json{{"schema", kSchema},
                    {"pid", process.pid},
                    {"comm", process.comm.text().str()},
                    {"parent", maybe_task(process.parent, process.ppid)},
                    {"uid", process.uid},
                    {"cgroup", safe(process.cgroup)},
                    {"tracer", process.tracer},
                    {"signals",
                     {{"pending", signal_names(process.pending)},
                      {"ignored", signal_names(process.ignored)},
                      {"handled", signal_names(process.caught)},
                      {"queued", process.queued},
                      {"queue_limit", process.queue_limit}}},
                    {"thread_count", process.all_threads},
                    {"threads", all(process.threads, thread)},
                    {"fd_count", process.all_descriptors},
                    {"objects", all(process.items, object)},
                    {"missing", all(process.gaps, gap_text)}};
    return json.dump(2) + "\n";
}

std::string ipc_json(const std::vector<IpcNamespace>& spaces)
{
    const Json json{{"schema", kSchema}, {"namespaces", all(spaces, space_of)}};
    return json.dump(2) + "\n";
}

}  // namespace ipcscope::render
