// SPDX-License-Identifier: GPL-2.0-only
// Starting ipcscope as a black box.
#pragma once

#include <string>
#include <vector>

#include <sys/types.h>

namespace ipcscope::conformance {

using Words = std::vector<std::string>;

/// A directory of its own for each call, on tmpfs, gone with the guest.
std::string scratch();

std::string read_file(const std::string& path);

/// Path of the ipcscope under test: $IPCSCOPE, or beside this binary.
std::string ipcscope_path();

/// "record -o FILE" and the like, with --backend where $IPCSCOPE_BACKEND asks
/// for one.  The only place that knows of backends.
Words ipcscope_words(const Words& arguments);

/// This binary, to run `workload`.
Words workload_words(const std::string& workload, const Words& arguments);

struct Finished {
    int status = -1;       ///< as a shell gives it
    std::string out;
    std::string err;
};

struct Settings {
    unsigned uid = 0;
    std::string facts;     ///< $IPCSCOPE_FACTS of the workload
    std::string out;       ///< path of standard output; empty: kept
};

class Process {
public:
    Process(const Words& words, const Settings& settings = {});
    ~Process();
    Process(const Process&) = delete;
    Process& operator=(const Process&) = delete;

    pid_t pid() const { return pid_; }
    void signal(int number) const;
    bool running();
    /// Waits, at most `seconds`; after that it is killed, and the test has failed.
    const Finished& wait(unsigned seconds = 120);
    /// Resident memory in KiB; 0 where it has ended.
    std::uint64_t rss_kib() const;

private:
    void reaped(int status);

    pid_t pid_ = -1;
    bool ended_ = false;
    std::string directory_;
    std::string out_;
    Finished finished_;
};

/// Runs ipcscope to its end.
Finished ipcscope(const Words& arguments, const Settings& settings = {});

/// What of a trace the kernel holds now: BPF programs, or the module's readers
/// and its probes.
unsigned loaded_programs();
/// Until there are no more than `before`: they are freed after a grace period.
bool nothing_attached(unsigned before);

}  // namespace ipcscope::conformance
