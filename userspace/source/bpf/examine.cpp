// SPDX-License-Identifier: GPL-2.0-only
#include "source/bpf/examine.hpp"

namespace ipcscope::source::bpf {

std::vector<FamilyStatus> examine()
{
    std::vector<FamilyStatus> families;
    for (Family family : {Family::signals, Family::pipes, Family::kills}) {
        Options options;
        options.signals = family == Family::signals;
        options.pipes = family == Family::pipes;
        options.kills = family == Family::kills;
        options.ring_bytes = 4096;
        FamilyStatus status{family, false, {}, Exit::ok, {}};
        auto tracer = Tracer::attach(options);
        if (tracer) {
            status.works = true;
            status.hooks = (*tracer)->hooks();
        } else {
            status.why = tracer.error().message;
            status.code = tracer.error().code;
        }
        families.push_back(std::move(status));
    }
    return families;
}

}  // namespace ipcscope::source::bpf
