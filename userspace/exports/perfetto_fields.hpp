// SPDX-License-Identifier: GPL-2.0-only
// The messages of a Perfetto trace that are written, by the field numbers of Perfetto's
// published .proto files (tests/views/perfetto.proto has the same for protoc).
#pragma once

#include <cstdint>

#include <protozero/pbf_builder.hpp>

namespace ipcscope::exports::pb {

enum class Trace : protozero::pbf_tag_type { packet = 1 };

enum class Packet : protozero::pbf_tag_type {
    clock_snapshot = 6,
    timestamp = 8,
    sequence_id = 10,          ///< trusted_packet_sequence_id
    track_event = 11,
    interned_data = 12,
    sequence_flags = 13,
    defaults = 59,             ///< trace_packet_defaults
    track_descriptor = 60,
};
inline constexpr std::uint32_t kStateCleared = 1, kNeedsState = 2;   ///< sequence_flags

enum class Defaults : protozero::pbf_tag_type { timestamp_clock_id = 58 };

enum class ClockSnapshot : protozero::pbf_tag_type { clocks = 1, primary_trace_clock = 2 };
enum class Clock : protozero::pbf_tag_type { clock_id = 1, timestamp = 2 };
inline constexpr std::uint32_t kRealtime = 1, kMonotonic = 3;   ///< BuiltinClock

enum class TrackDescriptor : protozero::pbf_tag_type {
    uuid = 1, name = 2, process = 3, thread = 4, parent_uuid = 5, counter = 8,
};
enum class Process : protozero::pbf_tag_type { pid = 1, process_name = 6 };
enum class Thread : protozero::pbf_tag_type { pid = 1, tid = 2, thread_name = 5 };
enum class Counter : protozero::pbf_tag_type { unit = 3 };
inline constexpr std::int32_t kUnitCount = 2, kUnitBytes = 3;

enum class InternedData : protozero::pbf_tag_type { event_names = 2, annotation_names = 3 };
enum class Interned : protozero::pbf_tag_type { iid = 1, name = 2 };

enum class TrackEvent : protozero::pbf_tag_type {
    annotations = 4,           ///< debug_annotations
    type = 9,
    name_iid = 10,
    track_uuid = 11,
    counter_value = 30,
    flow_ids = 47,
    terminating_flow_ids = 48,
};
enum class Type : std::int32_t { slice_begin = 1, slice_end = 2, instant = 3, counter = 4 };

enum class Annotation : protozero::pbf_tag_type {
    name_iid = 1, bool_value = 2, uint_value = 3, int_value = 4, string_value = 6,
};

}  // namespace ipcscope::exports::pb
