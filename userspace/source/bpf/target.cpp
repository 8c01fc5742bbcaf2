// SPDX-License-Identifier: GPL-2.0-only
#include "source/bpf/target.hpp"

#include <cerrno>
#include <utility>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

namespace ipcscope::source::bpf {
namespace {

/// The id comes in the flags, of which these programs have none.
int take_target(bpf_program*, bpf_prog_load_opts* options, long)
{
    options->attach_btf_id = std::exchange(options->prog_flags, 0);
    return 0;
}

int attach(const bpf_program* program, long, bpf_link** link)
{
    *link = bpf_program__attach_trace(program);
    return *link ? 0 : -errno;
}

bool register_sections()
{
    LIBBPF_OPTS(libbpf_prog_handler_opts, options, .prog_prepare_load_fn = take_target,
                .prog_attach_fn = attach);
    for (const auto& [section, type] : {std::pair("fentry", BPF_TRACE_FENTRY),
                                        std::pair("fexit", BPF_TRACE_FEXIT),
                                        std::pair("tp_btf+", BPF_TRACE_RAW_TP)}) {
        if (libbpf_register_prog_handler(section, BPF_PROG_TYPE_TRACING, type, &options) < 0) {
            return false;
        }
    }
    return true;
}

}  // namespace

bool register_targets()
{
    static const bool registered = register_sections();   // libbpf's table has no owner
    return registered;
}

void set_target(bpf_program* program, std::uint32_t id)
{
    bpf_program__set_flags(program, id);
}

}  // namespace ipcscope::source::bpf
