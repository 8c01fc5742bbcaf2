// SPDX-License-Identifier: GPL-2.0-only
// Tracks and their events as packets of a Perfetto trace.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <unordered_map>
#include <variant>

#include "base/atomic_file.hpp"
#include "exports/perfetto_fields.hpp"

namespace ipcscope::exports {

using Track = std::uint64_t;   ///< a uuid; 0: none
using NameId = std::uint64_t;  ///< of an event's name, that was interned

/// The keys of what a slice or an instant has beside its name.
enum class Key : std::uint8_t {
    requested, ret, bytes, blocked_ns, runnable_ns, uninterruptible_ns, sleeps, waker,
    unfinished, signal, outcome, fate, origin, latency_ns, target, sender, severity, duration_ns,
    text, advice, lost, since_ns, overlaps_ns,
};
inline constexpr std::size_t kKeys = static_cast<std::size_t>(Key::overlaps_ns) + 1;

struct Annotation {
    Key key;
    std::variant<std::uint64_t, std::int64_t, bool, std::string_view> value;
};

/// Annotations of 0, false and "" are left out.
class PerfettoWriter {
public:
    explicit PerfettoWriter(AtomicFile file) : file_(std::move(file)) {}

    void begin(std::uint64_t monotonic_ns, std::uint64_t realtime_ns);

    Track track(std::string_view name, Track parent = 0);
    /// `known`: the track of the same, that has another name now; 0: a new one.
    Track process(std::uint32_t pid, std::string_view name, Track known = 0);
    Track thread(std::uint32_t pid, std::uint32_t tid, std::string_view name, Track known = 0);
    Track counter(std::string_view name, std::int32_t unit);

    /// The same number for the same name, written once.
    NameId name(const std::string& name);
    /// A new one, of a name that the caller knows to be new.
    NameId new_name(std::string_view name);

    using Annotations = std::initializer_list<Annotation>;
    void slice_begin(Track track, std::uint64_t time_ns, NameId name,
                     Annotations annotations = {});
    void slice_end(Track track, std::uint64_t time_ns);
    void instant(Track track, std::uint64_t time_ns, NameId name, Annotations annotations = {});
    /// Two instants with an arrow from the first to the second.
    struct End {
        Track track;
        std::uint64_t time_ns;
        NameId name;
        Annotations annotations = {};
    };
    void arrow(const End& from, const End& to);
    void count(Track track, std::uint64_t time_ns, std::uint64_t value);

    /// The first write that failed.
    const Result<void>& result() const { return result_; }
    Result<void> commit();

private:
    template <typename Fill>
    void packet(const Fill& fill);
    template <typename Fill>
    void event(Track track, std::uint64_t time_ns, pb::Type type, const Fill& fill);
    void flush();

    static constexpr std::size_t kBuffer_bytes = 1 << 20;

    AtomicFile file_;
    std::string buffer_;
    Result<void> result_;
    std::unordered_map<std::string, NameId> names_;
    NameId next_name_ = 1;
    Track next_track_ = 1;
    std::uint64_t next_flow_ = 1;
};

}  // namespace ipcscope::exports
