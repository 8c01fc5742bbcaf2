// SPDX-License-Identifier: GPL-2.0-only
#include "aggregate/connects.hpp"

#include <utility>

#include "base/units.hpp"

namespace ipcscope::aggregate {
namespace {

std::uint64_t woken_ns(const decode::Event& event)
{
    return since(event.time_ns, std::get<decode::Call>(event.body).woken_before_ns);
}

decode::Event with_peer(decode::Event event, std::uint64_t listener)
{
    std::get<decode::Call>(event.body).peer = listener;
    return event;
}

}  // namespace

std::vector<decode::Event> Connects::connect(const decode::Event& event, const decode::Call& call)
{
    if (event.unfinished || call.blocked_ns == 0 || call.waker_tid == 0) {
        return {};
    }
    Acceptor& acceptor = acceptors_.use(call.waker_tid);
    if (acceptor.last.covers(woken_ns(event))) {
        return {with_peer(event, acceptor.last.listener)};
    }
    if (acceptor.woken.size() < kMostWoken) {
        acceptor.woken.push_back(event);
    }
    return {};
}

std::vector<decode::Event> Connects::accept(const decode::Event& event, const decode::Call& call)
{
    Acceptor& acceptor = acceptors_.use(event.task.tid);
    acceptor.last = {call.object, call.enter_ns, event.time_ns};
    std::vector<decode::Event> known;
    for (decode::Event& connect : std::exchange(acceptor.woken, {})) {
        if (acceptor.last.covers(woken_ns(connect))) {
            known.push_back(with_peer(std::move(connect), call.object));
        }
    }
    return known;
}

}  // namespace ipcscope::aggregate
