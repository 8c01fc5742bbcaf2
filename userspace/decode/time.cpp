// SPDX-License-Identifier: GPL-2.0-only
// Records come from files, too: nothing about their times can be taken for granted.
// A part is cut to what is left of the span, so that the parts still add up.
#include "decode/time.hpp"

#include <algorithm>

namespace ipcscope::decode {
namespace {

/// From one time to a later one; 0 where it is not later.
constexpr std::uint64_t span(std::uint64_t from_ns, std::uint64_t to_ns)
{
    return to_ns > from_ns ? to_ns - from_ns : 0;
}

/// What a span has left for further parts.
class Rest {
public:
    explicit Rest(std::uint64_t span_ns) : left_ns_(span_ns) {}

    std::uint64_t take(std::uint64_t part_ns)
    {
        part_ns = std::min(part_ns, left_ns_);
        left_ns_ -= part_ns;
        return part_ns;
    }
    std::uint64_t left_ns() const { return left_ns_; }

private:
    std::uint64_t left_ns_;
};

/// Both bodies have BETWEEN_FIELDS.
template <typename Body>
Between between_of(std::uint64_t span_ns, const Body& body)
{
    Between out;
    Rest rest{span_ns};
    out.span_ns = span_ns;
    out.runnable_ns = rest.take(body.between_runnable_ns);
    out.sleeping_ns = rest.take(body.between_sleeping_ns);
    out.polling_ns = rest.take(body.between_polling_ns);
    out.uninterruptible_ns = rest.take(body.between_uninterruptible_ns);
    out.killable_ns = rest.take(body.between_killable_ns);
    out.other_ns = rest.take(body.between_other_ns);
    out.running_ns = rest.left_ns();
    return out;
}

}  // namespace

Between between(const Call& call)
{
    return between_of(span(call.since_ns, call.enter_ns), call);
}

Between between(const Event& event, const ThreadTime& time)
{
    return between_of(span(time.since_ns, event.time_ns), time);
}

Inside inside(const Event& event, const Call& call)
{
    Inside out;
    out.span_ns = span(call.enter_ns, event.time_ns);
    Rest rest{out.span_ns};
    out.runnable_ns = rest.take(call.runnable_ns);
    out.blocked_ns = rest.take(call.blocked_ns);
    out.uninterruptible_ns = rest.take(call.uninterruptible_ns);
    out.running_ns = rest.left_ns();
    return out;
}

}  // namespace ipcscope::decode
