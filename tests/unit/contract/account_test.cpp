// SPDX-License-Identifier: GPL-2.0-only
// The time ledger against a model that counts each nanosecond as it passes.
#include <ipcscope/account.h>

#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <rapidcheck.h>

namespace ipcscope {
namespace {

constexpr std::uint8_t kPipe = IPCSCOPE_CALL_PIPE;
constexpr std::uint16_t kNone = IPCSCOPE_SYSCALL_NONE;

struct Slice {
    std::uint64_t start_ns;
    std::uint64_t end_ns;
    unsigned state;
    unsigned call;
    unsigned waker;
    friend bool operator==(const Slice&, const Slice&) = default;
};

/// What a thread did since its last record, by what a spectator would say.
struct Truth {
    std::uint64_t running_ns = 0;
    ipcscope_times times{};
};

/// One thread, and beside it what really happens.
class Thread {
public:
    explicit Thread(std::uint64_t now) : now_(now)
    {
        ipcscope_account_begin(&account_, now);
        since_ns_ = now;
        stay_ns_ = now;
    }

    bool on_cpu() const { return on_cpu_; }
    bool in_call() const { return call_ != 0; }
    bool asleep() const { return !on_cpu_ && !woken_; }

    void pass(std::uint64_t ns)
    {
        now_ += ns;
        if (on_cpu_)
            truth_.running_ns += ns;
        else
            part(woken_ ? IPCSCOPE_STATE_RUNNABLE : state_) += ns;
    }

    /// `woken_meanwhile`: a wake-up came before it was off the CPU, so that none will.
    void leave(std::uint8_t state, bool woken_meanwhile)
    {
        ipcscope_stay ran;
        ipcscope_account_leave(&account_, now_, state, kNone, &ran);
        expect_stay(IPCSCOPE_STATE_RUNNING, 0);
        got(ran);
        on_cpu_ = false;
        preempted_ = state == IPCSCOPE_STATE_RUNNING;
        unseen_wake_ = woken_meanwhile && !preempted_;
        woken_ = unseen_wake_ || preempted_;
        state_ = state;
        if (call_ && sleeps_in_s()) sleeps_ = std::min(sleeps_ + 1, 255u);
    }

    void wake(std::uint32_t waker)
    {
        if (unseen_wake_) return;
        ipcscope_account_wake(&account_, now_, waker);
        if (on_cpu_ || woken_) return;
        expect_stay(state_, waker);
        woken_ = true;
        if (call_ && sleeps_in_s()) woken_ns_ = now_, call_waker_ = waker;
    }

    void resume()
    {
        ipcscope_stay slept, waited;
        ipcscope_account_resume(&account_, now_, &slept, &waited);
        got(slept);
        got(waited);
        if (on_cpu_) return;
        if (unseen_wake_) sleep_of_no_time();
        expect_stay(IPCSCOPE_STATE_RUNNABLE, 0);
        on_cpu_ = true;
    }

    void enter()
    {
        ipcscope_account_enter(&account_, now_, kPipe);
        enter_ns_ = now_;
        call_ = kPipe;
        sleeps_ = 0;
        woken_ns_ = 0;
        call_waker_ = 0;
    }

    /// The call's record; the hook may be preempted before it is done with it.
    void exit(std::uint64_t preempted_ns);
    /// The record at the end of the trace.
    void flush();

    std::vector<Slice> slices, wanted_slices;

private:
    /// Woken before it was off the CPU: it waits for a CPU from the start.
    void sleep_of_no_time()
    {
        const auto woken_at = std::exchange(now_, stay_ns_);
        expect_stay(state_, 0);
        now_ = woken_at;
        unseen_wake_ = false;
        if (call_ && sleeps_in_s()) woken_ns_ = stay_ns_, call_waker_ = 0;
    }
    bool sleeps_in_s() const
    {
        return state_ == IPCSCOPE_STATE_INTERRUPTIBLE || state_ == IPCSCOPE_STATE_POLLING;
    }
    __u64& part(std::uint8_t state);
    void expect_stay(std::uint8_t state, unsigned waker);
    void got(const ipcscope_stay& stay)
    {
        if (stay.start_ns)
            slices.push_back({stay.start_ns, stay.end_ns, stay.state, stay.call,
                              stay.waker_tid});
    }
    void check(const ipcscope_times& times) const;

    ipcscope_account account_{};
    Truth truth_;
    std::uint64_t now_;
    std::uint64_t since_ns_;
    std::uint64_t enter_ns_ = 0;
    std::uint64_t stay_ns_;        ///< of this stay, on the CPU, asleep or runnable
    bool on_cpu_ = true;
    bool woken_ = false;
    bool preempted_ = false;
    bool unseen_wake_ = false;
    std::uint8_t state_ = 0;
    std::uint8_t call_ = 0;
    unsigned sleeps_ = 0;
    std::uint64_t woken_ns_ = 0;
    unsigned call_waker_ = 0;
};

__u64& Thread::part(std::uint8_t state)
{
    auto& times = truth_.times;
    if (call_) {
        if (state == IPCSCOPE_STATE_RUNNABLE) return times.runnable_ns;
        return sleeps_in_s() ? times.blocked_ns : times.uninterruptible_ns;
    }
    switch (state) {
    case IPCSCOPE_STATE_RUNNABLE: return times.between[0];
    case IPCSCOPE_STATE_INTERRUPTIBLE:
    case IPCSCOPE_STATE_IDLE: return times.between[1];
    case IPCSCOPE_STATE_POLLING: return times.between[2];
    case IPCSCOPE_STATE_UNINTERRUPTIBLE: return times.between[3];
    case IPCSCOPE_STATE_KILLABLE: return times.between[4];
    default: return times.between[5];
    }
}

/// A stay ends now; a long one, or one that is like no other, has a slice.
void Thread::expect_stay(std::uint8_t state, unsigned waker)
{
    const bool rare = state == IPCSCOPE_STATE_STOPPED || state == IPCSCOPE_STATE_TRACED ||
                      state == IPCSCOPE_STATE_FROZEN || state == IPCSCOPE_STATE_OTHER;
    if (rare || now_ - stay_ns_ >= 5'000'000)
        wanted_slices.push_back({stay_ns_, now_, state, call_, waker});
    stay_ns_ = now_;
}

void Thread::check(const ipcscope_times& times) const
{
    const auto& wanted = truth_.times;
    std::uint64_t sum = times.blocked_ns + times.runnable_ns + times.uninterruptible_ns;
    for (int i = 0; i < IPCSCOPE_BETWEEN_COUNT; ++i) {
        RC_ASSERT(times.between[i] == wanted.between[i]);
        sum += times.between[i];
    }
    RC_ASSERT(times.blocked_ns == wanted.blocked_ns);
    RC_ASSERT(times.runnable_ns == wanted.runnable_ns);
    RC_ASSERT(times.uninterruptible_ns == wanted.uninterruptible_ns);
    RC_ASSERT(account_.since_ns == since_ns_);
    RC_ASSERT(sum + truth_.running_ns == now_ - since_ns_);
    RC_ASSERT((ipcscope_times_any(&times) != 0) == (sum != 0));
}

void Thread::exit(std::uint64_t preempted_ns)
{
    const ipcscope_times times = account_.times;
    const std::uint64_t at = now_;
    check(times);
    ipcscope_call_split record{};
    ipcscope_fill_split(&record, &account_, &times, at);
    RC_ASSERT(account_.enter_ns == enter_ns_);
    RC_ASSERT(unsigned{account_.sleeps} == sleeps_);
    RC_ASSERT(record.blocked_ns == times.blocked_ns);
    RC_ASSERT(record.between_other_ns == times.between[IPCSCOPE_BETWEEN_OTHER]);
    RC_ASSERT(record.waker_tid == call_waker_);
    RC_ASSERT(std::uint64_t{record.woken_before_ns} ==
              (woken_ns_ ? std::min<std::uint64_t>(at - woken_ns_, UINT32_MAX) : 0));
    truth_ = {};
    since_ns_ = at;
    if (preempted_ns != 0) {
        leave(IPCSCOPE_STATE_RUNNING, false);
        pass(preempted_ns);
        resume();
    }
    ipcscope_account_recorded(&account_, &times, at);
    call_ = 0;
}

void Thread::flush()
{
    if (unseen_wake_) resume();
    ipcscope_stay slept, waited;
    const bool is_asleep = asleep();
    ipcscope_account_flush(&account_, now_, &slept, &waited);
    got(slept);
    got(waited);
    if (on_cpu_) {
        expect_stay(IPCSCOPE_STATE_RUNNING, 0);
    } else {
        if (is_asleep) expect_stay(state_, 0);
        expect_stay(IPCSCOPE_STATE_RUNNABLE, 0);
        RC_ASSERT(unsigned{account_.state} ==
                  unsigned{preempted_ ? std::uint8_t{IPCSCOPE_STATE_RUNNABLE} : state_});
    }
    check(account_.times);
}

std::uint64_t some_ns()
{
    return *rc::gen::weightedOneOf<std::uint64_t>(
        {{1, rc::gen::just<std::uint64_t>(0)},
         {8, rc::gen::inRange<std::uint64_t>(1, 5000)},
         {2, rc::gen::inRange<std::uint64_t>(4'999'990, 5'000'010)},
         {1, rc::gen::inRange<std::uint64_t>(5'000'000, 8'000'000'000)}});
}

std::uint8_t some_state()
{
    return static_cast<std::uint8_t>(*rc::gen::element<int>(
        IPCSCOPE_STATE_RUNNING, IPCSCOPE_STATE_INTERRUPTIBLE, IPCSCOPE_STATE_UNINTERRUPTIBLE,
        IPCSCOPE_STATE_KILLABLE, IPCSCOPE_STATE_IDLE, IPCSCOPE_STATE_STOPPED,
        IPCSCOPE_STATE_TRACED, IPCSCOPE_STATE_OTHER, IPCSCOPE_STATE_POLLING,
        IPCSCOPE_STATE_FROZEN));
}

void step(Thread& thread)
{
    thread.pass(some_ns());
    if (*rc::gen::inRange(0, 8) == 0) thread.wake(*rc::gen::inRange(0u, 9u));   // a spurious one
    if (!thread.on_cpu()) {
        if (thread.asleep()) {
            thread.pass(1);   // the scheduler's lock lies between the two
            thread.wake(*rc::gen::inRange(0u, 9u));
        }
        thread.pass(some_ns());
        thread.resume();
        return;
    }
    switch (*rc::gen::inRange(0, 5)) {
    case 0: return thread.in_call() ? thread.exit(*rc::gen::element(0, 0, 700)) : thread.enter();
    case 1: return thread.resume();   // of a leaving that was not seen
    default: return thread.leave(some_state(), *rc::gen::inRange(0, 6) == 0);
    }
}

TEST(Account, EveryNanosecondIsInOnePart)
{
    EXPECT_TRUE(rc::check("records against what passed", [] {
        Thread thread{*rc::gen::inRange<std::uint64_t>(1, 1ULL << 60)};
        for (int i = *rc::gen::inRange(1, 200); i > 0; --i) step(thread);
        thread.flush();
        RC_ASSERT(thread.slices == thread.wanted_slices);
    }));
}

/// A clock that two CPUs do not read quite alike may go back a little.
TEST(Account, NothingUnderflowsWhereTheClockGoesBack)
{
    EXPECT_TRUE(rc::check("no part is larger than the whole", [] {
        ipcscope_account account{};
        std::uint64_t now = 1'000'000;
        std::uint64_t passed = 0;
        ipcscope_account_begin(&account, now);
        ipcscope_stay one{}, other{};
        for (int i = *rc::gen::inRange(1, 100); i > 0; --i) {
            const auto ns = *rc::gen::inRange(-300, 1000);
            now += static_cast<std::uint64_t>(ns);
            passed += static_cast<std::uint64_t>(std::abs(ns));
            switch (*rc::gen::inRange(0, 5)) {
            case 0: ipcscope_account_leave(&account, now, some_state(), kNone, &one); break;
            case 1: ipcscope_account_wake(&account, now, 1); break;
            case 2: ipcscope_account_resume(&account, now, &one, &other); break;
            case 3: ipcscope_account_enter(&account, now, kPipe); break;
            default: {
                const ipcscope_times times = account.times;
                ipcscope_call_split record{};
                ipcscope_fill_split(&record, &account, &times, now);
                for (const auto part : times.between) RC_ASSERT(part <= passed);
                RC_ASSERT(record.blocked_ns <= passed);
                RC_ASSERT(record.runnable_ns <= passed);
                RC_ASSERT(record.uninterruptible_ns <= passed);
                RC_ASSERT(record.woken_before_ns <= passed);
                ipcscope_account_recorded(&account, &times, now);
            }
            }
            for (const auto& stay : {one, other})
                if (stay.start_ns) RC_ASSERT(stay.start_ns <= stay.end_ns);
        }
    }));
}

TEST(Account, OneThreadByHand)
{
    ipcscope_account account{};
    ipcscope_stay slept, waited;
    ipcscope_account_begin(&account, 100);
    ipcscope_account_leave(&account, 110, IPCSCOPE_STATE_POLLING, 7, &slept);   // ran 10
    ipcscope_account_wake(&account, 130, 5);                                    // polled 20
    ipcscope_account_wake(&account, 131, 6);                                    // too late
    ipcscope_account_resume(&account, 133, &slept, &waited);                    // waited 3
    ipcscope_account_enter(&account, 140, kPipe);
    ipcscope_account_leave(&account, 150, IPCSCOPE_STATE_INTERRUPTIBLE, 0, &slept);
    ipcscope_account_wake(&account, 190, 8);                                    // blocked 40
    ipcscope_account_resume(&account, 195, &slept, &waited);                    // waited 5
    const ipcscope_times times = account.times;
    ipcscope_call_split record{};
    ipcscope_fill_split(&record, &account, &times, 200);
    EXPECT_EQ(record.between_polling_ns, 20U);
    EXPECT_EQ(record.between_runnable_ns, 3U);
    EXPECT_EQ(record.between_sleeping_ns, 0U);
    EXPECT_EQ(record.blocked_ns, 40U);
    EXPECT_EQ(record.runnable_ns, 5U);
    EXPECT_EQ(record.waker_tid, 8U);
    EXPECT_EQ(record.woken_before_ns, 10U);
    EXPECT_EQ(account.sleeps, 1);
    ipcscope_account_recorded(&account, &times, 200);
    EXPECT_FALSE(ipcscope_times_any(&account.times));
    EXPECT_EQ(account.since_ns, 200U);
    EXPECT_EQ(account.call, 0);
}

}  // namespace
}  // namespace ipcscope
