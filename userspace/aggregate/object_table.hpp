// SPDX-License-Identifier: GPL-2.0-only
// Calls on IPC objects of any family → rows per object.  Pipes have a table of their
// own, with a side for each end.
#pragma once

#include <cstdint>
#include <map>
#include <vector>

#include "aggregate/bounded_map.hpp"
#include "aggregate/report.hpp"
#include "aggregate/time_ledger.hpp"

namespace ipcscope::aggregate {

class ObjectTable {
public:
    void call(const decode::Event& event, const decode::Call& call);
    /// Names an object.
    void holder(const decode::Holder& holder);

    std::vector<ObjectRow> rows() const;
    std::uint64_t evicted() const { return objects_.evicted(); }

private:
    struct Object {
        decode::ObjectType type{};   ///< that of its id has all kinds of sockets as one
        std::uint64_t first_ns = 0;
        std::uint64_t last_ns = 0;
        std::map<decode::Op, OpRow> ops;
        BoundedMap<std::uint32_t, ObjectUser> users{kMostObjectUsers};   ///< by process
    };

    BoundedMap<ObjectId, Object, ObjectId::Hash> objects_{kMostObjects};
    BoundedMap<ObjectId, SafeText, ObjectId::Hash> names_{kMostObjects};
};

}  // namespace ipcscope::aggregate
