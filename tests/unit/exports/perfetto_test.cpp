// SPDX-License-Identifier: GPL-2.0-only
// The trace, read back: every slice nests, every arrow has both ends, every event a track and
// a name that were described before it.
#include <algorithm>
#include <map>
#include <set>

#include <protozero/pbf_message.hpp>

#include "../decode/hostile.hpp"
#include "exports/perfetto_fields.hpp"
#include "story.hpp"

namespace ipcscope::exports::test {
namespace {

using ipcscope::test::Folder;
using protozero::data_view;
using protozero::pbf_message;

struct Event {
    std::uint64_t time_ns = 0;
    std::uint64_t track = 0;
    pb::Type type{};
    std::string name;
    std::int64_t value = 0;
    std::vector<std::uint64_t> from;   ///< arrows
    std::vector<std::uint64_t> to;
    std::map<std::string, std::string> annotations;
};

struct Trace {
    std::map<std::uint64_t, std::string> tracks;   ///< by uuid
    std::map<std::uint64_t, std::string> names;
    std::map<std::uint64_t, std::string> keys;
    std::vector<Event> events;
};

std::string text(data_view view) { return {view.data(), view.size()}; }

void read_track(Trace& trace, pbf_message<pb::TrackDescriptor> message)
{
    std::uint64_t uuid = 0;
    std::string name;
    while (message.next()) {
        switch (message.tag()) {
        case pb::TrackDescriptor::uuid: uuid = message.get_uint64(); break;
        case pb::TrackDescriptor::name: name = text(message.get_view()); break;
        case pb::TrackDescriptor::thread: {
            pbf_message<pb::Thread> thread(message.get_message());
            while (thread.next()) {
                if (thread.tag() == pb::Thread::thread_name) {
                    name = text(thread.get_view());
                } else {
                    thread.skip();
                }
            }
            break;
        }
        default: message.skip();
        }
    }
    EXPECT_NE(uuid, 0u);
    trace.tracks[uuid] = name;
}

void read_interned(std::map<std::uint64_t, std::string>& to, pbf_message<pb::Interned> message)
{
    std::uint64_t iid = 0;
    while (message.next()) {
        if (message.tag() == pb::Interned::iid) {
            iid = message.get_uint64();
        } else {
            EXPECT_TRUE(to.emplace(iid, text(message.get_view())).second);
        }
    }
}

void read_annotation(const Trace& trace, Event& event, pbf_message<pb::Annotation> message)
{
    std::string key, value;
    while (message.next()) {
        switch (message.tag()) {
        case pb::Annotation::name_iid: key = trace.keys.at(message.get_uint64()); break;
        case pb::Annotation::bool_value: value = message.get_bool() ? "true" : "false"; break;
        case pb::Annotation::uint_value: value = std::to_string(message.get_uint64()); break;
        case pb::Annotation::int_value: value = std::to_string(message.get_int64()); break;
        case pb::Annotation::string_value: value = text(message.get_view()); break;
        }
    }
    event.annotations[key] = value;
}

void read_event(Trace& trace, Event event, pbf_message<pb::TrackEvent> message)
{
    while (message.next()) {
        switch (message.tag()) {
        case pb::TrackEvent::type: event.type = static_cast<pb::Type>(message.get_enum()); break;
        case pb::TrackEvent::track_uuid: event.track = message.get_uint64(); break;
        case pb::TrackEvent::name_iid: {
            const auto name = trace.names.find(message.get_uint64());
            ASSERT_NE(name, trace.names.end());
            event.name = name->second;
            break;
        }
        case pb::TrackEvent::counter_value: event.value = message.get_int64(); break;
        case pb::TrackEvent::flow_ids: event.from.push_back(message.get_fixed64()); break;
        case pb::TrackEvent::terminating_flow_ids: event.to.push_back(message.get_fixed64()); break;
        case pb::TrackEvent::annotations:
            read_annotation(trace, event, message.get_message());
            break;
        default: FAIL() << "an unknown field";
        }
    }
    EXPECT_TRUE(trace.tracks.contains(event.track)) << event.track;
    trace.events.push_back(event);
}

Trace read(const std::string& bytes)
{
    Trace trace;
    pbf_message<pb::Trace> packets(bytes);
    while (packets.next(pb::Trace::packet)) {
        pbf_message<pb::Packet> packet(packets.get_message());
        Event event;
        while (packet.next()) {
            switch (packet.tag()) {
            case pb::Packet::timestamp: event.time_ns = packet.get_uint64(); break;
            case pb::Packet::track_descriptor: read_track(trace, packet.get_message()); break;
            case pb::Packet::track_event: read_event(trace, event, packet.get_message()); break;
            case pb::Packet::interned_data: {
                pbf_message<pb::InternedData> data(packet.get_message());
                while (data.next()) {
                    auto& to = data.tag() == pb::InternedData::event_names ? trace.names
                                                                           : trace.keys;
                    read_interned(to, data.get_message());
                }
                break;
            }
            default: packet.skip();
            }
        }
    }
    return trace;
}

/// As trace_processor does: by time, those of one time in the order of the file.
void expect_nested(const Trace& trace)
{
    std::map<std::uint64_t, std::vector<const Event*>> by_track;
    for (const Event& event : trace.events) {
        by_track[event.track].push_back(&event);
    }
    for (auto& [track, events] : by_track) {
        std::ranges::stable_sort(events, {}, [](const Event* event) { return event->time_ns; });
        std::size_t depth = 0;
        for (const Event* event : events) {
            depth += event->type == pb::Type::slice_begin;
            if (event->type == pb::Type::slice_end) {
                ASSERT_GT(depth, 0u) << trace.tracks.at(track);
                --depth;
            }
        }
        EXPECT_EQ(depth, 0u) << trace.tracks.at(track);
    }
}

/// Slices of a track are in the file in the order of time, so that none is cut by another.
void expect_slices_inside(const Trace& trace)
{
    std::map<std::uint64_t, std::uint64_t> last;                 ///< by track
    for (const Event& event : trace.events) {
        if (event.type != pb::Type::slice_begin && event.type != pb::Type::slice_end) {
            continue;
        }
        EXPECT_GE(event.time_ns, last[event.track]) << trace.tracks.at(event.track);
        last[event.track] = event.time_ns;
    }
}

void expect_arrows(const Trace& trace)
{
    std::map<std::uint64_t, const Event*> from, to;
    for (const Event& event : trace.events) {
        for (const std::uint64_t flow : event.from) {
            EXPECT_TRUE(from.emplace(flow, &event).second);
        }
        for (const std::uint64_t flow : event.to) {
            EXPECT_TRUE(to.emplace(flow, &event).second);
        }
    }
    EXPECT_EQ(from.size(), to.size());
    for (const auto& [flow, event] : from) {
        ASSERT_TRUE(to.contains(flow));
        EXPECT_LE(event->time_ns, to[flow]->time_ns);
    }
}

TEST(Perfetto, StoryHasItsSlicesAndArrows)
{
    Folder folder;
    const Trace trace = read(exported(folder / "t", perfetto, plain_story));
    expect_nested(trace);
    expect_slices_inside(trace);
    expect_arrows(trace);
    // "track: name begin-end", in ms from the start, and arrows.
    std::vector<std::string> slices, arrows, counts;
    std::map<std::uint64_t, std::vector<const Event*>> open;
    std::map<std::uint64_t, const Event*> from;
    const auto ms = [](std::uint64_t ns) { return fmt::format("{}", static_cast<double>(ns - kStart_ns) / 1e6); };
    for (const Event& event : trace.events) {
        auto& stack = open[event.track];
        if (event.type == pb::Type::slice_begin) {
            stack.push_back(&event);
        } else if (event.type == pb::Type::slice_end) {
            slices.push_back(fmt::format("{}: {} {}-{}", trace.tracks.at(event.track),
                                         stack.back()->name, ms(stack.back()->time_ns),
                                         ms(event.time_ns)));
            stack.pop_back();
        } else if (event.type == pb::Type::counter) {
            counts.push_back(fmt::format("{} {} {}", trace.tracks.at(event.track),
                                         ms(event.time_ns), event.value));
        }
        for (const std::uint64_t flow : event.from) {
            from[flow] = &event;
        }
        for (const std::uint64_t flow : event.to) {
            arrows.push_back(fmt::format("{} {} {} -> {} {} {}", trace.tracks.at(from[flow]->track),
                                         from[flow]->name, ms(from[flow]->time_ns),
                                         trace.tracks.at(event.track), event.name,
                                         ms(event.time_ns)));
        }
    }
    EXPECT_EQ(slices, (std::vector<std::string>{"reader: waits for data 1-31",
                                                "reader: read pipe 7 1-32",
                                                "writer: write pipe 7 30-33",
                                                "writer: uninterruptible 60-260"}));
    EXPECT_EQ(arrows, (std::vector<std::string>{
                          "writer wakes 31 -> reader woken 31",
                          "killer SIGUSR1 sent 40.5 -> reader SIGUSR1 taken 43",
                          "killer SIGKILL sent 69.5 -> writer SIGKILL taken 265",
                          "writer written 32 -> reader read 32"}));
    EXPECT_EQ(counts, (std::vector<std::string>{"pipe 7 pages used 1 0"}));
    const auto finding = std::ranges::find(trace.events, "kill-stuck", &Event::name);
    ASSERT_NE(finding, trace.events.end());
    EXPECT_EQ(finding->type, pb::Type::instant);
    EXPECT_EQ(finding->annotations.at("severity"), "warning");
    EXPECT_NE(finding->annotations.at("text").find("writer"), std::string::npos);
    const auto pending = std::ranges::find(trace.events, "SIGTERM sent", &Event::name);
    ASSERT_NE(pending, trace.events.end());
    EXPECT_TRUE(pending->from.empty());
    EXPECT_EQ(pending->annotations.at("fate"), "pending");
}

void expect_sound(const Trace& trace)
{
    expect_nested(trace);
    expect_slices_inside(trace);
    expect_arrows(trace);
}

/// Slices, arrows.
std::pair<std::size_t, std::size_t> count(const Trace& trace)
{
    std::pair<std::size_t, std::size_t> out;
    for (const Event& event : trace.events) {
        out.first += event.type == pb::Type::slice_begin;
        out.second += event.from.size();
    }
    return out;
}

TEST(Perfetto, EverySliceNestsAndEveryArrowHasBothEnds)
{
    for (std::uint32_t seed = 1; seed <= 6; ++seed) {
        Folder folder;
        const Trace trace = read(exported(folder / "t", perfetto, [&](source::Sink& sink) {
            ipcscope::test::Random random{seed};
            std::uint64_t now = kStart_ns;
            for (std::size_t i = 0; i < ipcscope::test::hostile_records() / 4; ++i) {
                EXPECT_TRUE(sink.records(
                    i % 4, ipcscope::test::any_record(random, now += random.below(100))));
                if (i % 64 == 0) {
                    EXPECT_TRUE(sink.watermark(now));
                }
            }
            EXPECT_TRUE(sink.end(now));
        }));
        expect_sound(trace);
        EXPECT_GT(count(trace).first, 50u);
    }
}

/// Threads that use the same pipes, with times of which many are equal, and signals.
TEST(Perfetto, SoDoThoseOfABusyTrace)
{
    for (std::uint32_t seed = 1; seed <= 8; ++seed) {
        Folder folder;
        const Trace trace = read(exported(folder / "t", perfetto, [&](source::Sink& sink) {
            Records records(sink);
            ipcscope::test::Random random{seed};
            std::map<std::uint32_t, double> since;
            for (double at = 10; at < 3000; at += random.below(3)) {
                const std::uint32_t pid = 100 + random.below(6), other = 100 + random.below(6);
                switch (random.below(8)) {
                case 0: records.send(at, pid, other, 10); continue;
                case 1: records.take(at, pid, 10, IPCSCOPE_TAKE_HANDLER); continue;
                case 2:
                    records.slice(since[pid], at, pid, IPCSCOPE_STATE_POLLING, other,
                                  random.below(2) ? IPCSCOPE_CALL_PIPE : 0u);
                    continue;
                case 3: records.thread(at, pid, "again", random.below(5)); continue;
                default: break;
                }
                const double enter = std::max(since[pid], at - random.below(6));
                const double woken = random.below(3);
                records.call(since[pid], enter, at, pid, random.below(2) != 0, 7 + random.below(2), 1,
                             {random.below(5) * 1.0, 0, random.below(2) ? other : 0, woken},
                             random.below(16));
                since[pid] = random.below(10) ? at : at - 2;   // some overlap
            }
            records.end(3000);
        }));
        expect_sound(trace);
        EXPECT_GT(count(trace).first, 500u);
        EXPECT_GT(count(trace).second, 100u);
    }
}

/// Two threads that pass bytes on, as fast as they can, so that what returns first varies.
TEST(Perfetto, ArrowsOfAPingPong)
{
    Folder folder;
    std::size_t waits = 0;
    const Trace trace = read(exported(folder / "t", perfetto, [&](source::Sink& sink) {
        Records records(sink);
        ipcscope::test::Random random{7};
        records.thread(0, 100, "ping");
        records.thread(0, 200, "pong");
        double at = 1, wrote = 0, read = 0;
        for (int i = 0; i < 500; ++i, at += 10) {
            const double woken = at + 3, write_end = woken + 0.5 + random.below(4);
            const double read_end = woken + 0.5 + random.below(4);
            records.call(wrote, at + 2, write_end, 100, true, 7, 1);
            records.call(read, at + 1, read_end, 200, false, 7, 1,
                         {woken - at - 1, 0, 100, read_end - woken});
            wrote = write_end;
            read = read_end;
            ++waits;
        }
        records.end(at);
    }));
    expect_nested(trace);
    expect_arrows(trace);
    EXPECT_EQ(static_cast<std::size_t>(std::ranges::count(trace.events, "woken", &Event::name)),
              waits);
    EXPECT_EQ(static_cast<std::size_t>(std::ranges::count(trace.events, "read", &Event::name)),
              waits);
}

}  // namespace
}  // namespace ipcscope::exports::test
