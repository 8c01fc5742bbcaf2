// SPDX-License-Identifier: GPL-2.0-only
#include "source/bpf/unfinished.hpp"

#include <algorithm>
#include <cstring>

#include "config.h"

namespace ipcscope::source::bpf {
namespace {

class Unfinished {
public:
    Unfinished(const ipcscope_thread_state& thread, std::uint64_t stop_ns,
               const Producer::Visit& visit)
        : thread_(thread), account_(thread.account), visit_(visit)
    {
        // A hook that had begun before the stop may have ended after it.
        now_ = std::max<__u64>({stop_ns, account_.since_ns, account_.enter_ns, account_.stamp_ns,
                         account_.wake_ns, account_.woken_ns, thread.take.dequeued_ns});
    }

    void visit_all()
    {
        ipcscope_stay slept{}, waited{};
        ipcscope_account_flush(&account_, now_, &slept, &waited);
        for (const ipcscope_stay* stay : {&slept, &waited}) {
            if (stay->start_ns != 0) {
                slice(*stay);
            }
        }
        if (account_.call != 0) {
            call();
        } else {
            time();
        }
        if (thread_.take.sig != 0) {
            take();
        }
    }

private:
    template <typename Record>
    Record begin(unsigned kind) const
    {
        Record record{};
        record.header.time_ns = now_;
        record.header.tgid = thread_.tgid;
        record.header.tid = thread_.tid;
        record.header.kind = static_cast<std::uint16_t>(kind);
        record.header.size = sizeof record;
        record.header.flags = IPCSCOPE_UNFINISHED;
        return record;
    }

    template <typename Record>
    void pass_on(Record& record) const
    {
        visit_(std::as_writable_bytes(std::span(&record, 1)));
    }

    void slice(const ipcscope_stay& stay) const
    {
        auto record = begin<ipcscope_slice>(IPCSCOPE_SLICE);
        record.start_ns = stay.start_ns;
        record.end_ns = stay.end_ns;
        record.waker_tid = stay.waker_tid;
        record.syscall = stay.syscall;
        record.state = stay.state;
        record.call = stay.call;
        pass_on(record);
    }

    void call() const
    {
        auto record = begin<ipcscope_call_split>(account_.call);
        std::memcpy(reinterpret_cast<std::byte*>(&record) + sizeof record.header, &thread_.call,
                    sizeof thread_.call);
        record.since_ns = account_.since_ns;
        record.enter_ns = account_.enter_ns;
        record.ret = 0;
        record.sleeps = account_.sleeps;
        ipcscope_fill_split(&record, &account_, &account_.times, now_);
        pass_on(record);
    }

    void time() const
    {
        auto record = begin<ipcscope_thread_time>(IPCSCOPE_THREAD_TIME);
        record.since_ns = account_.since_ns;
        IPCSCOPE_FILL_BETWEEN(&record, &account_.times);
        record.syscall = account_.syscall;
        record.state = account_.state;
        pass_on(record);
    }

    void take() const
    {
        auto record = begin<ipcscope_signal_take>(IPCSCOPE_SIGNAL_TAKE);
        record.dequeued_ns = thread_.take.dequeued_ns;
        record.enter_ns = thread_.get_signal_ns;
        record.value = thread_.take.value;
        record.si_code = thread_.take.si_code;
        record.sender_pid = thread_.take.sender_pid;
        record.overrun = thread_.take.overrun;
        record.sig = thread_.take.sig;
        record.how = IPCSCOPE_TAKE_DEBUGGER;
        record.disposition = IPCSCOPE_DISPOSITION_UNKNOWN;
        record.has_info = 1;
        record.traced = thread_.take.traced;
        pass_on(record);
    }

    const ipcscope_thread_state& thread_;
    ipcscope_account account_;   ///< a copy, up to now_
    const Producer::Visit& visit_;
    std::uint64_t now_ = 0;
};

}  // namespace

void visit_unfinished(const ipcscope_thread_state& thread, std::uint64_t stop_ns,
                      const Producer::Visit& visit)
{
    Unfinished(thread, stop_ns, visit).visit_all();
}

}  // namespace ipcscope::source::bpf
