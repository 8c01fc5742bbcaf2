// SPDX-License-Identifier: GPL-2.0-only
// --object and --path: calls on other objects are left out.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <tuple>
#include <unordered_map>
#include <vector>

#include <ipcscope/record.h>

#include "base/result.hpp"
#include "source/options.hpp"
#include "source/source.hpp"
#include "source/unix_table.hpp"

namespace ipcscope::source {

/// Which objects an --object names: "pipe:[12]", "unix:/run/x.sock", "sysv_sem:3[0]", ….
struct ObjectPattern {
    std::uint32_t types = 0;      ///< bit n: IPCSCOPE_OBJECT_… n
    std::uint64_t object = 0;     ///< where there is no path
    std::uint64_t mask = ~0ull;   ///< bits of it that count
    std::string path;             ///< empty: by number
};

/// Exit::usage where it names none.
Result<ObjectPattern> parse_object(const std::string& text);

/// In front of another sink.  Passes on all but the calls on other objects; in the ledger
/// those are filtered.  A thread's time in a call that is
/// left out is added to its next record, as time between calls.  Paths and addresses are
/// looked up in /proc at the first call on an object: of one whose caller has ended by then
/// none is known.
class ObjectFilter final : public Sink {
public:
    /// `filters`: objects that parse_object() takes.  `proc`: where /proc is.
    ObjectFilter(const Filters& filters, Sink& next, std::string proc = "/proc");

    Result<void> host(const Host& host) override { return next_.host(host); }
    Result<void> records(unsigned cpu, std::span<const std::byte> bytes) override;
    Result<void> watermark(std::uint64_t time_ns) override { return next_.watermark(time_ns); }
    Result<void> ledger(const Ledger& ledger) override;
    Result<void> end(std::uint64_t time_ns) override { return next_.end(time_ns); }

private:
    /// What is known of an object, and of who calls.
    struct Object {
        std::uint32_t tgid = 0;
        std::uint32_t dev = 0;
        std::uint64_t number = 0;
        std::uint32_t types = 0;   ///< it is of one of them
    };
    using Key = std::tuple<bool, std::uint32_t, std::uint64_t>;   ///< socket, device, number
    /// Of a thread, since its last record that was passed on.
    struct LeftOut {
        std::uint64_t since_ns = 0;
        std::uint64_t end_ns = 0;
        std::array<std::uint64_t, 6> between_ns{};   ///< as IPCSCOPE_BETWEEN_FIELDS
    };

    bool is_wanted(const ipcscope_header& header);
    bool is_wanted(const Object& object);
    const std::string& name_of(const Object& object);
    std::string look_up(const Object& object);
    void filter(unsigned cpu, std::span<const std::byte> record);
    void leave_out(const ipcscope_header& header);
    void pass(const ipcscope_header& header);

    Sink& next_;
    std::string proc_;
    bool active_;
    std::vector<ObjectPattern> objects_;
    std::vector<std::string> paths_;   ///< with *, ? and […]
    std::map<Key, std::string> names_;
    UnixTables sockets_;
    std::unordered_map<std::uint32_t, LeftOut> left_out_;   ///< by thread
    std::map<unsigned, std::array<std::uint64_t, IPCSCOPE_KIND_COUNT>> filtered_;   ///< by CPU
    std::vector<std::byte> out_;
};

}  // namespace ipcscope::source
