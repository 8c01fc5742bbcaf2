// SPDX-License-Identifier: GPL-2.0-only
#include "source/object_filter.hpp"

#include <algorithm>
#include <cstring>
#include <string_view>

#include <fcntl.h>
#include <fnmatch.h>

#include <fmt/format.h>
#include <ipcscope/futex.h>

#include "base/safe_text.hpp"
#include "source/holders.hpp"
#include "source/proc.hpp"
#include "source/proc_text.hpp"

namespace ipcscope::source {
namespace {

constexpr std::size_t kMostNames = 65536;
constexpr std::size_t kMostThreads = 65536;

constexpr std::uint32_t bit(unsigned type) { return 1u << type; }
constexpr std::uint32_t kUnix = bit(IPCSCOPE_OBJECT_UNIX_STREAM) | bit(IPCSCOPE_OBJECT_UNIX_DGRAM) |
                                bit(IPCSCOPE_OBJECT_UNIX_SEQPACKET);
/// Their objects have names.
constexpr std::uint32_t kNamed = kUnix | bit(IPCSCOPE_OBJECT_FIFO) | bit(IPCSCOPE_OBJECT_MQUEUE);

struct Word {
    std::string_view word;
    std::uint32_t types;
};
/// As tables call them, and as links in /proc/PID/fd do.
constexpr Word kWords[] = {
    {"pipe", bit(IPCSCOPE_OBJECT_PIPE)},
    {"fifo", bit(IPCSCOPE_OBJECT_FIFO)},
    {"unix", kUnix},
    {"socket", kUnix},
    {"unix_stream", bit(IPCSCOPE_OBJECT_UNIX_STREAM)},
    {"unix_dgram", bit(IPCSCOPE_OBJECT_UNIX_DGRAM)},
    {"unix_seqpacket", bit(IPCSCOPE_OBJECT_UNIX_SEQPACKET)},
    {"eventfd", bit(IPCSCOPE_OBJECT_EVENTFD)},
    {"mqueue", bit(IPCSCOPE_OBJECT_MQUEUE)},
    {"sysv_msg", bit(IPCSCOPE_OBJECT_SYSV_MSG)},
    {"sysv_sem", bit(IPCSCOPE_OBJECT_SYSV_SEM)},
    {"futex", bit(IPCSCOPE_OBJECT_FUTEX)},
};

constexpr std::uint64_t kLow = UINT32_MAX;

/// "3": each semaphore of a set; "3[0]": one.
bool parse_semaphore(std::string_view text, ObjectPattern& pattern)
{
    const std::size_t open = text.find('[');
    std::uint64_t number = 0;
    if (!proc::parse_number(text.substr(0, open), pattern.object) || pattern.object > kLow) {
        return false;
    }
    if (open == std::string_view::npos) {
        pattern.mask = kLow;
        return true;
    }
    text.remove_prefix(open + 1);
    if (!text.ends_with(']') || !proc::parse_number(text.substr(0, text.size() - 1), number) ||
        number > kLow) {
        return false;
    }
    pattern.object |= number << 32;
    return true;
}

/// "12": each word of a memory; "12:0x40": that at an offset; "0x7f10": a private one.
bool parse_futex(std::string_view text, ObjectPattern& pattern)
{
    if (text.starts_with("0x")) {
        pattern.types = bit(IPCSCOPE_OBJECT_FUTEX_PRIVATE);
        return proc::parse_number(text, pattern.object, 16);
    }
    const std::size_t colon = text.find(':');
    std::uint64_t offset = 0;
    if (!proc::parse_number(text.substr(0, colon), pattern.object) || pattern.object > kLow) {
        return false;
    }
    pattern.object <<= 32;
    if (colon == std::string_view::npos) {
        pattern.mask = ~kLow;
        return true;
    }
    if (!proc::parse_number(text.substr(colon + 1), offset, 16)) {
        return false;
    }
    pattern.object |= offset / IPCSCOPE_FUTEX_WORD & kLow;
    return true;
}

/// "12", "[12]"
bool parse_plain(std::string_view text, ObjectPattern& pattern)
{
    if (text.starts_with('[') && text.ends_with(']')) {
        text = text.substr(1, text.size() - 2);
    }
    return proc::parse_number(text, pattern.object);
}

bool parse_value(std::string_view text, ObjectPattern& pattern)
{
    if ((text.starts_with('/') || text.starts_with('@')) && (pattern.types & kNamed) != 0) {
        pattern.path = text;
        return true;
    }
    switch (pattern.types) {
    case bit(IPCSCOPE_OBJECT_SYSV_SEM): return parse_semaphore(text, pattern);
    case bit(IPCSCOPE_OBJECT_FUTEX): return parse_futex(text, pattern);
    default: return parse_plain(text, pattern);
    }
}

bool is_call(const ipcscope_header& header)
{
    return header.kind >= IPCSCOPE_CALL_FIRST && header.kind <= IPCSCOPE_CALL_LAST &&
           header.size >= sizeof(ipcscope_call);
}

template <typename Record>
const Record& as(const ipcscope_header& header)
{
    return reinterpret_cast<const Record&>(header);
}

/// A call's record, of any length.
ipcscope_call_split split_of(const ipcscope_header& header)
{
    ipcscope_call_split call{};
    std::memcpy(&call, &header, std::min<std::size_t>(header.size, sizeof call));
    return call;
}

template <typename Record>
std::array<std::uint64_t, 6> between_of(const Record& record)
{
    return {record.between_runnable_ns, record.between_sleeping_ns, record.between_polling_ns,
            record.between_uninterruptible_ns, record.between_killable_ns,
            record.between_other_ns};
}

template <typename Record>
void add_between(Record& record, const std::array<std::uint64_t, 6>& more)
{
    record.between_runnable_ns += more[0];
    record.between_sleeping_ns += more[1];
    record.between_polling_ns += more[2];
    record.between_uninterruptible_ns += more[3];
    record.between_killable_ns += more[4];
    record.between_other_ns += more[5];
}

}  // namespace

Result<ObjectPattern> parse_object(const std::string& text)
{
    const std::size_t colon = text.find(':');
    const auto word = std::ranges::find(kWords, std::string_view(text).substr(0, colon),
                                        &Word::word);
    ObjectPattern pattern;
    if (colon != std::string::npos && word != std::end(kWords)) {
        pattern.types = word->types;
        if (parse_value(std::string_view(text).substr(colon + 1), pattern)) {
            return pattern;
        }
    }
    return fail(Exit::usage,
                fmt::format("--object {}: give a kind and a number or a path, as tables have "
                            "them: pipe:[12], unix:/run/x.sock, mqueue:/jobs, sysv_sem:3[0], "
                            "futex:7:0x40",
                            SafeText::escape(text).str()));
}

ObjectFilter::ObjectFilter(const Filters& filters, Sink& next, std::string proc)
    : next_(next), proc_(std::move(proc)),
      active_(!filters.objects.empty() || !filters.paths.empty()), paths_(filters.paths)
{
    for (const std::string& text : filters.objects) {
        if (auto pattern = parse_object(text)) {
            objects_.push_back(std::move(*pattern));
        }
    }
}

/// Empty: it has none, or its process is gone.
std::string ObjectFilter::look_up(const Object& object)
{
    const Fd process =
        proc::open_directory(AT_FDCWD, fmt::format("{}/{}", proc_, object.tgid).c_str());
    if ((object.types & kUnix) == 0) {
        return find_name(proc::open_directory(process.get(), "fd"), object.dev, object.number);
    }
    const UnixSocket* socket = sockets_.find(process, object.number);
    if (socket == nullptr) {
        sockets_.forget();   // it is newer
        socket = sockets_.find(process, object.number);
    }
    return socket == nullptr ? std::string() : socket->address;
}

const std::string& ObjectFilter::name_of(const Object& object)
{
    const Key key{(object.types & kUnix) != 0, object.dev, object.number};
    const auto known = names_.find(key);
    if (known != names_.end()) {
        return known->second;
    }
    if (names_.size() >= kMostNames) {
        names_.clear();
    }
    return names_.emplace(key, look_up(object)).first->second;
}

bool ObjectFilter::is_wanted(const Object& object)
{
    const bool has_name = (object.types & kNamed) != 0;
    const bool named = paths_.empty() ||
                       (has_name && std::ranges::any_of(paths_, [&](const std::string& path) {
                            const std::string& name = name_of(object);
                            return !name.empty() && fnmatch(path.c_str(), name.c_str(), 0) == 0;
                        }));
    return named && (objects_.empty() ||
                     std::ranges::any_of(objects_, [&](const ObjectPattern& pattern) {
                         if ((pattern.types & object.types) == 0) {
                             return false;
                         }
                         return pattern.path.empty()
                                    ? (object.number & pattern.mask) == pattern.object
                                    : pattern.path == name_of(object);
                     }));
}

/// Of a connection either end may be meant: the one has the address, the other calls.
bool ObjectFilter::is_wanted(const ipcscope_header& header)
{
    Object object{.tgid = header.tgid};
    std::uint64_t peer = 0;
    if (is_call(header)) {
        const auto& call = as<ipcscope_call>(header);
        if (call.type >= IPCSCOPE_OBJECT_COUNT) {
            return true;   // decoding says what is wrong with it
        }
        object.dev = call.dev;
        object.number = call.object;
        object.types = bit(call.type);
        peer = call.peer;
    } else if (header.kind == IPCSCOPE_FD_RECEIVED && header.size >= sizeof(ipcscope_fd_received)) {
        object.number = as<ipcscope_fd_received>(header).socket;
        object.types = kUnix;
    } else {
        return true;
    }
    if (is_wanted(object)) {
        return true;
    }
    object.number = peer;
    return peer != 0 && (object.types & kUnix) != 0 && is_wanted(object);
}

void ObjectFilter::leave_out(const ipcscope_header& header)
{
    if (!is_call(header) || (header.flags & IPCSCOPE_BEFORE_TRACE) != 0) {
        return;   // it accounts for no time
    }
    const ipcscope_call_split call = split_of(header);
    if (left_out_.size() >= kMostThreads) {
        left_out_.clear();
    }
    const auto [at, is_new] = left_out_.try_emplace(header.tid);
    LeftOut& left = at->second;
    if (is_new || left.end_ns != call.since_ns) {
        left = {.since_ns = call.since_ns};
    }
    left.end_ns = header.time_ns;
    const auto between = between_of(call);
    for (std::size_t part = 0; part < between.size(); ++part) {
        left.between_ns[part] += between[part];
    }
    left.between_ns[0] += call.runnable_ns;
    left.between_ns[1] += call.blocked_ns;
    left.between_ns[3] += call.uninterruptible_ns;
}

/// With the time of the calls that were left out before it.
void ObjectFilter::pass(const ipcscope_header& header)
{
    const auto append = [&](const void* bytes, std::size_t size) {
        const auto* from = static_cast<const std::byte*>(bytes);
        out_.insert(out_.end(), from, from + size);
    };
    const bool time = (header.kind == IPCSCOPE_THREAD_TIME || header.kind == IPCSCOPE_THREAD_EXIT) &&
                      header.size == sizeof(ipcscope_thread_time);
    const auto left = is_call(header) || time ? left_out_.find(header.tid) : left_out_.end();
    if (left == left_out_.end()) {
        append(&header, header.size);
        return;
    }
    const auto add = [&](auto record) {
        if (record.since_ns == left->second.end_ns) {
            record.since_ns = left->second.since_ns;
            record.header.size = sizeof record;
            add_between(record, left->second.between_ns);
        }
        append(&record, record.header.size);
    };
    time ? add(as<ipcscope_thread_time>(header)) : add(split_of(header));
    left_out_.erase(left);
}

/// One whole record.  The text of others may leave one of the collector unaligned.
void ObjectFilter::filter(unsigned cpu, std::span<const std::byte> record)
{
    alignas(8) std::array<std::byte, sizeof(ipcscope_call_split)> whole{};
    std::memcpy(whole.data(), record.data(), std::min(whole.size(), record.size()));
    const auto& header = *reinterpret_cast<const ipcscope_header*>(whole.data());
    if (record.size() > whole.size()) {   // no call is as long
        out_.insert(out_.end(), record.begin(), record.end());
    } else if (is_wanted(header)) {
        pass(header);
    } else {
        leave_out(header);
        if (cpu != kCollector) {
            ++filtered_[cpu][header.kind];
        }
    }
}

Result<void> ObjectFilter::records(unsigned cpu, std::span<const std::byte> bytes)
{
    if (!active_) {
        return next_.records(cpu, bytes);
    }
    out_.clear();
    while (bytes.size() >= sizeof(ipcscope_header)) {
        ipcscope_header header;
        std::memcpy(&header, bytes.data(), sizeof header);
        if (header.size < sizeof header || header.size > bytes.size()) {
            break;
        }
        filter(cpu, bytes.first(header.size));
        bytes = bytes.subspan(header.size);
    }
    out_.insert(out_.end(), bytes.begin(), bytes.end());   // what is no record: for its reader
    return out_.empty() ? Result<void>() : next_.records(cpu, out_);
}

Result<void> ObjectFilter::ledger(const Ledger& ledger)
{
    Ledger out = ledger;
    for (const auto& [cpu, kinds] : filtered_) {
        for (unsigned kind = 0; cpu < out.size() && kind < kinds.size(); ++kind) {
            out[cpu].kind[kind].emitted -= kinds[kind];
            out[cpu].kind[kind].filtered += kinds[kind];
        }
    }
    return next_.ledger(out);
}

}  // namespace ipcscope::source
