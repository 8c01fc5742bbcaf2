// SPDX-License-Identifier: GPL-2.0-only
// Workloads of a few lines.
#include <csignal>
#include <cstdlib>

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "workload.hpp"

namespace ipcscope::workload {

/// exit_with STATUS
int exit_with(const Arguments& arguments)
{
    return std::stoi(arguments.at(0));
}

/// die_of SIGNAL
int die_of(const Arguments& arguments)
{
    const rlimit none{0, 0};
    setrlimit(RLIMIT_CORE, &none);
    raise(std::stoi(arguments.at(0)));
    return 0;
}

/// linger: reports that it runs, then sleeps until it is killed, a minute at most.
int linger(const Arguments&)
{
    fact("linger", {static_cast<std::uint64_t>(getpid())});
    sleep_ms(60'000);
    return 0;
}

/// gate DIRECTORY: says by the file "go" that the trace has begun, and ends it
/// once there is a file "done".
int gate(const Arguments& arguments)
{
    name_thread("gate");
    fact("gate", {static_cast<std::uint64_t>(getpid())});
    const std::string& directory = arguments.at(0);
    close(creat((directory + "/go").c_str(), 0666));
    struct stat info {};
    while (stat((directory + "/done").c_str(), &info) != 0) {
        sleep_ms(20);
    }
    return 0;
}

/// rename_self: takes hostile names, and signals itself and writes a pipe once
/// under each.
int rename_self(const Arguments&)
{
    static const char* const names[] = {
        "\x1b]0;owned\x07",       "\x1b[31mred",          "\xff\xfe\x80\xc0\xaf",
        "\"quote\\\n\t",          "</script>&<b>",        "\xc2\x9b" "31m",
        "\xe2\x80\xae" "txt.exe", "\xf0\x9f\x98",         "\r\nfake: line",
        "\x01\x02\x03\x04\x05\x06\x0e\x7f", "=cmd|' /C '", " ",
    };
    std::signal(SIGUSR1, [](int) {});
    int ends[2];
    MUST(pipe(ends) == 0);
    for (const char* name : names) {
        name_thread(name);
        MUST(raise(SIGUSR1) == 0);
        char byte = 1;
        MUST(write(ends[1], &byte, 1) == 1 && read(ends[0], &byte, 1) == 1);
    }
    fact("renamed", {static_cast<std::uint64_t>(getpid()), std::size(names)});
    return 0;
}

}  // namespace ipcscope::workload
