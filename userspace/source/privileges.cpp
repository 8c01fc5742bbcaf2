// SPDX-License-Identifier: GPL-2.0-only
#include "source/privileges.hpp"

#include <cap-ng.h>
#include <sys/prctl.h>
#include <sys/resource.h>

namespace ipcscope::source {

void keep_only_reading()
{
    constexpr int kKept[] = {
        CAP_BPF, CAP_PERFMON,    // maps and the programs' own counts
        CAP_SYS_PTRACE,          // links in /proc/PID/fd of any user
        CAP_DAC_READ_SEARCH,
        CAP_SYSLOG,              // addresses in /proc/kallsyms
        CAP_KILL,                // to end the traced command, whatever its user is by then
    };
    const rlimit none{0, 0};
    setrlimit(RLIMIT_CORE, &none);
    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
    capng_get_caps_process();
    bool kept[CAP_LAST_CAP + 1] = {};
    for (const int capability : kKept) {
        kept[capability] = capng_have_capability(CAPNG_PERMITTED,
                                                 static_cast<unsigned>(capability));
    }
    capng_clear(CAPNG_SELECT_BOTH);
    for (const int capability : kKept) {
        if (kept[capability]) {
            capng_update(CAPNG_ADD, static_cast<capng_type_t>(CAPNG_EFFECTIVE | CAPNG_PERMITTED),
                         static_cast<unsigned>(capability));
        }
    }
    capng_apply(CAPNG_SELECT_BOTH);
}

}  // namespace ipcscope::source
