// SPDX-License-Identifier: GPL-2.0-only
#include "exports/perfetto_writer.hpp"

#include <array>

namespace ipcscope::exports {
namespace {

using protozero::pbf_builder;

constexpr std::uint32_t kSequence = 1;

/// By Key.
constexpr std::array<std::string_view, kKeys> kKeyNames{
    "requested", "ret", "bytes", "blocked_ns", "runnable_ns", "uninterruptible_ns", "sleeps",
    "waker", "unfinished", "signal", "outcome", "fate", "origin", "latency_ns", "target",
    "sender", "severity", "duration_ns", "text", "advice", "lost", "since_ns", "overlaps_ns",
};
static_assert(!kKeyNames.back().empty());

bool is_nothing(const Annotation& annotation)
{
    return std::visit([](const auto& value) { return value == std::decay_t<decltype(value)>{}; },
                      annotation.value);
}

struct PutValue {
    pbf_builder<pb::Annotation>& out;
    void operator()(std::uint64_t value) { out.add_uint64(pb::Annotation::uint_value, value); }
    void operator()(std::int64_t value) { out.add_int64(pb::Annotation::int_value, value); }
    void operator()(bool value) { out.add_bool(pb::Annotation::bool_value, value); }
    void operator()(std::string_view value)
    {
        out.add_string(pb::Annotation::string_value, value.data(), value.size());
    }
};

void put(pbf_builder<pb::TrackEvent>& event, PerfettoWriter::Annotations annotations)
{
    for (const Annotation& annotation : annotations) {
        if (!is_nothing(annotation)) {
            pbf_builder<pb::Annotation> out(event, pb::TrackEvent::annotations);
            out.add_uint64(pb::Annotation::name_iid,
                           static_cast<std::uint64_t>(annotation.key) + 1);
            std::visit(PutValue{out}, annotation.value);
        }
    }
}

template <typename Tag>
void put_text(pbf_builder<Tag>& out, Tag tag, std::string_view text)
{
    out.add_string(tag, text.data(), text.size());
}

/// Perfetto's are signed; a larger number is none of a thread.
std::int32_t number(std::uint32_t id) { return static_cast<std::int32_t>(id); }

}  // namespace

template <typename Fill>
void PerfettoWriter::packet(const Fill& fill)
{
    {
        pbf_builder<pb::Trace> trace(buffer_);
        pbf_builder<pb::Packet> out(trace, pb::Trace::packet);
        out.add_uint32(pb::Packet::sequence_id, kSequence);
        fill(out);
    }
    if (buffer_.size() >= kBuffer_bytes) {
        flush();
    }
}

void PerfettoWriter::flush()
{
    if (result_) {
        result_ = file_.write(buffer_);
    }
    buffer_.clear();
}

void PerfettoWriter::begin(std::uint64_t monotonic_ns, std::uint64_t realtime_ns)
{
    packet([&](pbf_builder<pb::Packet>& out) {
        out.add_uint32(pb::Packet::sequence_flags, pb::kStateCleared | pb::kNeedsState);
        {
            pbf_builder<pb::Defaults> defaults(out, pb::Packet::defaults);
            defaults.add_uint32(pb::Defaults::timestamp_clock_id, pb::kMonotonic);
        }
        pbf_builder<pb::InternedData> data(out, pb::Packet::interned_data);
        for (std::size_t at = 0; at < kKeys; ++at) {
            pbf_builder<pb::Interned> name(data, pb::InternedData::annotation_names);
            name.add_uint64(pb::Interned::iid, at + 1);
            put_text(name, pb::Interned::name, kKeyNames[at]);
        }
    });
    packet([&](pbf_builder<pb::Packet>& out) {
        pbf_builder<pb::ClockSnapshot> snapshot(out, pb::Packet::clock_snapshot);
        const auto clock = [&](std::uint32_t id, std::uint64_t time_ns) {
            pbf_builder<pb::Clock> one(snapshot, pb::ClockSnapshot::clocks);
            one.add_uint32(pb::Clock::clock_id, id);
            one.add_uint64(pb::Clock::timestamp, time_ns);
        };
        clock(pb::kMonotonic, monotonic_ns);
        clock(pb::kRealtime, realtime_ns);
        snapshot.add_enum(pb::ClockSnapshot::primary_trace_clock, pb::kMonotonic);
    });
}

Track PerfettoWriter::track(std::string_view name, Track parent)
{
    const Track uuid = next_track_++;
    packet([&](pbf_builder<pb::Packet>& out) {
        pbf_builder<pb::TrackDescriptor> track(out, pb::Packet::track_descriptor);
        track.add_uint64(pb::TrackDescriptor::uuid, uuid);
        put_text(track, pb::TrackDescriptor::name, name);
        if (parent != 0) {
            track.add_uint64(pb::TrackDescriptor::parent_uuid, parent);
        }
    });
    return uuid;
}

Track PerfettoWriter::process(std::uint32_t pid, std::string_view name, Track known)
{
    const Track uuid = known != 0 ? known : next_track_++;
    packet([&](pbf_builder<pb::Packet>& out) {
        pbf_builder<pb::TrackDescriptor> track(out, pb::Packet::track_descriptor);
        track.add_uint64(pb::TrackDescriptor::uuid, uuid);
        pbf_builder<pb::Process> process(track, pb::TrackDescriptor::process);
        process.add_int32(pb::Process::pid, number(pid));
        put_text(process, pb::Process::process_name, name);
    });
    return uuid;
}

Track PerfettoWriter::thread(std::uint32_t pid, std::uint32_t tid, std::string_view name,
                             Track known)
{
    const Track uuid = known != 0 ? known : next_track_++;
    packet([&](pbf_builder<pb::Packet>& out) {
        pbf_builder<pb::TrackDescriptor> track(out, pb::Packet::track_descriptor);
        track.add_uint64(pb::TrackDescriptor::uuid, uuid);
        pbf_builder<pb::Thread> thread(track, pb::TrackDescriptor::thread);
        thread.add_int32(pb::Thread::pid, number(pid));
        thread.add_int32(pb::Thread::tid, number(tid));
        put_text(thread, pb::Thread::thread_name, name);
    });
    return uuid;
}

Track PerfettoWriter::counter(std::string_view name, std::int32_t unit)
{
    const Track uuid = next_track_++;
    packet([&](pbf_builder<pb::Packet>& out) {
        pbf_builder<pb::TrackDescriptor> track(out, pb::Packet::track_descriptor);
        track.add_uint64(pb::TrackDescriptor::uuid, uuid);
        put_text(track, pb::TrackDescriptor::name, name);
        pbf_builder<pb::Counter> counter(track, pb::TrackDescriptor::counter);
        counter.add_enum(pb::Counter::unit, unit);
    });
    return uuid;
}

NameId PerfettoWriter::new_name(std::string_view name)
{
    const NameId id = next_name_++;
    packet([&](pbf_builder<pb::Packet>& out) {
        out.add_uint32(pb::Packet::sequence_flags, pb::kNeedsState);
        pbf_builder<pb::InternedData> data(out, pb::Packet::interned_data);
        pbf_builder<pb::Interned> one(data, pb::InternedData::event_names);
        one.add_uint64(pb::Interned::iid, id);
        put_text(one, pb::Interned::name, name);
    });
    return id;
}

NameId PerfettoWriter::name(const std::string& name)
{
    const auto [at, is_new] = names_.try_emplace(name);
    if (is_new) {
        at->second = new_name(name);
    }
    return at->second;
}

template <typename Fill>
void PerfettoWriter::event(Track track, std::uint64_t time_ns, pb::Type type, const Fill& fill)
{
    packet([&](pbf_builder<pb::Packet>& out) {
        out.add_uint64(pb::Packet::timestamp, time_ns);
        out.add_uint32(pb::Packet::sequence_flags, pb::kNeedsState);
        pbf_builder<pb::TrackEvent> event(out, pb::Packet::track_event);
        event.add_enum(pb::TrackEvent::type, static_cast<std::int32_t>(type));
        event.add_uint64(pb::TrackEvent::track_uuid, track);
        fill(event);
    });
}

void PerfettoWriter::slice_begin(Track track, std::uint64_t time_ns, NameId name,
                                 Annotations annotations)
{
    event(track, time_ns, pb::Type::slice_begin, [&](pbf_builder<pb::TrackEvent>& out) {
        out.add_uint64(pb::TrackEvent::name_iid, name);
        put(out, annotations);
    });
}

void PerfettoWriter::slice_end(Track track, std::uint64_t time_ns)
{
    event(track, time_ns, pb::Type::slice_end, [](pbf_builder<pb::TrackEvent>&) {});
}

void PerfettoWriter::instant(Track track, std::uint64_t time_ns, NameId name,
                             Annotations annotations)
{
    event(track, time_ns, pb::Type::instant, [&](pbf_builder<pb::TrackEvent>& out) {
        out.add_uint64(pb::TrackEvent::name_iid, name);
        put(out, annotations);
    });
}

void PerfettoWriter::arrow(const End& from, const End& to)
{
    const std::uint64_t flow = next_flow_++;
    const auto instant = [&](const End& end, pb::TrackEvent tag) {
        event(end.track, end.time_ns, pb::Type::instant, [&](pbf_builder<pb::TrackEvent>& out) {
            out.add_uint64(pb::TrackEvent::name_iid, end.name);
            out.add_fixed64(tag, flow);
            put(out, end.annotations);
        });
    };
    instant(from, pb::TrackEvent::flow_ids);
    instant(to, pb::TrackEvent::terminating_flow_ids);
}

void PerfettoWriter::count(Track track, std::uint64_t time_ns, std::uint64_t value)
{
    event(track, time_ns, pb::Type::counter, [&](pbf_builder<pb::TrackEvent>& out) {
        out.add_int64(pb::TrackEvent::counter_value, static_cast<std::int64_t>(value));
    });
}

Result<void> PerfettoWriter::commit()
{
    flush();
    return result_ ? file_.commit() : result_;
}

}  // namespace ipcscope::exports
