// SPDX-License-Identifier: GPL-2.0-only
#include "source/watch.hpp"

#include <algorithm>

#include <ipcscope/policy.h>

namespace ipcscope::source {
namespace {

constexpr std::uint64_t kEndNothing = IPCSCOPE_DEFAULT_IGNORED | IPCSCOPE_STOP_SIGNALS;

bool should_end(const ipcscope_signal_generate& sent)
{
    if (sent.sig < 1 || sent.sig > 64) {
        return false;   // no signal: the record is damaged
    }
    const std::uint64_t bit = IPCSCOPE_SIG_BIT(sent.sig);
    if (bit & kEndNothing) {
        return false;
    }
    const bool zombie = sent.target_state == IPCSCOPE_STATE_ZOMBIE;
    if (bit & IPCSCOPE_ASK_TO_END) {
        // A SIGKILL to a process that dies already comes back as ignored; and so does what
        // the init of a pid namespace has no handler for yet.
        return sent.result == IPCSCOPE_RESULT_DELIVERED ||
               sent.result == IPCSCOPE_RESULT_ALREADY_PENDING ||
               sent.result == IPCSCOPE_RESULT_INFO_LOST || sent.dying || zombie ||
               (sent.unkillable && sent.sig != IPCSCOPE_SIGKILL);
    }
    return zombie || (sent.result == IPCSCOPE_RESULT_DELIVERED && sent.fatal);
}

}  // namespace

Watch::Watch(std::uint64_t after_ns, std::vector<std::uint32_t> self)
    : after_ns_(std::max<std::uint64_t>(after_ns, 1)), self_(std::move(self))
{
}

void Watch::saw(const ipcscope_signal_generate& sent)
{
    if (should_end(sent)) {
        add(sent.target_tgid, sent.sig, sent.header.time_ns,
            sent.target_state == IPCSCOPE_STATE_ZOMBIE);
    }
}

void Watch::saw(const ipcscope_kill& sent)
{
    if (sent.sig >= 1 && sent.sig <= 64) {
        add(sent.target_tgid, sent.sig, sent.header.time_ns, false);
    }
}

void Watch::add(std::uint32_t tgid, unsigned signal, std::uint64_t sent_ns, bool zombie)
{
    if (std::ranges::find(self_, tgid) != self_.end()) {
        return;
    }
    const auto [at, is_new] = watched_.try_emplace(tgid);
    Watched& watched = at->second;
    const std::uint64_t bit = IPCSCOPE_SIG_BIT(signal);
    const bool again = !is_new && sent_ns >= watched.target.sent_ns + kAgain_ns;
    if (!is_new && !again && (watched.signals & bit) != 0) {
        return;
    }
    watched.signals = is_new || again ? bit : watched.signals | bit;
    watched.target = {tgid, sent_ns, signal, watched.target.looks};
    schedule(watched, sent_ns + (zombie ? 0 : after_ns_));
    if (watched_.size() > kMost) {
        forget(std::prev(due_.end())->second);
    }
}

void Watch::schedule(Watched& watched, std::uint64_t next_ns)
{
    due_.erase({watched.next_ns, watched.target.tgid});
    watched.next_ns = next_ns;
    due_.emplace(next_ns, watched.target.tgid);
}

void Watch::forget(std::uint32_t tgid)
{
    const auto at = watched_.find(tgid);
    if (at != watched_.end()) {
        due_.erase({at->second.next_ns, tgid});
        watched_.erase(at);
    }
}

/// The first of 1, 10, 100, … times `after_ns_` that is still to come.
std::uint64_t Watch::next_look(const Watched& watched, std::uint64_t now_ns) const
{
    std::uint64_t after = after_ns_;
    while (watched.target.sent_ns + after <= now_ns) {
        if (after > UINT64_MAX / 1000) {
            return UINT64_MAX;
        }
        after *= 10;
    }
    return watched.target.sent_ns + after;
}

std::optional<Watch::Target> Watch::take_due(std::uint64_t now_ns)
{
    if (next_ns() > now_ns) {
        return std::nullopt;
    }
    Watched& watched = watched_.find(due_.begin()->second)->second;
    const Target target = watched.target;
    ++watched.target.looks;
    watched.looked_ns = now_ns;
    schedule(watched, next_look(watched, now_ns));
    return target;
}

std::vector<Watch::Target> Watch::take_all(std::uint64_t now_ns)
{
    std::vector<Target> all;
    for (auto& [tgid, watched] : watched_) {
        if (watched.target.sent_ns + after_ns_ <= now_ns &&
            watched.looked_ns + after_ns_ <= now_ns) {
            watched.looked_ns = now_ns;
            all.push_back(watched.target);
        }
    }
    return all;
}

std::uint64_t Watch::next_ns() const
{
    return due_.empty() ? UINT64_MAX : due_.begin()->first;
}

}  // namespace ipcscope::source
