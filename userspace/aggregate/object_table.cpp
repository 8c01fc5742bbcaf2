// SPDX-License-Identifier: GPL-2.0-only
#include "aggregate/object_table.hpp"

#include <algorithm>
#include <utility>

#include "aggregate/channel_table.hpp"

namespace ipcscope::aggregate {
namespace {

std::uint64_t calls_of(const ObjectRow& row)
{
    std::uint64_t sum = 0;
    for (const OpRow& op : row.ops) {
        sum += op.count + op.unfinished;
    }
    return sum;
}

}  // namespace

void ObjectTable::call(const decode::Event& event, const decode::Call& call)
{
    Object& object = objects_.use(object_of(call));
    object.first_ns = object.first_ns == 0
                          ? call.enter_ns
                          : std::min<std::uint64_t>(object.first_ns, call.enter_ns);
    object.last_ns = std::max(object.last_ns, event.time_ns);
    object.type = decode::type_of(call);
    OpRow& row = object.ops[decode::op_of(call)];
    row.op = decode::op_of(call);
    row.add(event, call);

    ObjectUser& user = object.users.use(event.task.tgid);
    const Task process = process_of(event);
    if (user.task.comm.empty() || !process.comm.empty()) {
        user.task = process;
    }
    user.blocked_ns += call.blocked_ns;
    user.count += !event.unfinished;
}

void ObjectTable::holder(const decode::Holder& holder)
{
    const ipcscope_holder& record = holder.record;
    names_.use({record.dev, record.type, record.object}) = holder.path;
}

std::vector<ObjectRow> ObjectTable::rows() const
{
    std::vector<ObjectRow> rows;
    for (const auto& [id, object] : objects_) {
        ObjectRow& row = rows.emplace_back();
        row.type = object.type;
        row.object = id.object;
        row.dev = id.dev;
        if (const SafeText* name = names_.find(id)) {
            row.name = *name;
        }
        row.first_ns = object.first_ns;
        row.last_ns = object.last_ns;
        for (const auto& [op, calls] : object.ops) {
            row.ops.push_back(calls);
        }
        for (const auto& [tgid, user] : object.users) {
            row.users.push_back(user);
        }
        std::ranges::sort(row.users, [](const ObjectUser& a, const ObjectUser& b) {
            return std::pair(b.count, a.task.tgid) < std::pair(a.count, b.task.tgid);
        });
    }
    std::ranges::stable_sort(rows, [](const ObjectRow& a, const ObjectRow& b) {
        return std::pair(calls_of(b), a.first_ns) < std::pair(calls_of(a), b.first_ns);
    });
    return rows;
}

}  // namespace ipcscope::aggregate
