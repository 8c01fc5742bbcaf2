// SPDX-License-Identifier: GPL-2.0-only
// Two pipes, one for each direction.
#pragma once

#include <array>
#include <cstddef>

#include "base/fd.hpp"
#include "base/result.hpp"
#include "bench/channel.hpp"

namespace ipcscope::bench {

struct Pipe {
    Fd reader;
    Fd writer;

    std::size_t capacity() const;
};

/// `flags` of pipe2(), beside O_CLOEXEC.
Result<Pipe> make_pipe(int flags);

/// Exit::usage where messages of that size would get mixed: with several
/// producers or consumers a write is whole up to PIPE_BUF only.
Result<void> check_not_mixed(const Setup& setup);

/// [0] leads from a to b, [1] back.
class PipePair {
public:
    explicit PipePair(std::array<Pipe, 2> pipes) : pipes_(std::move(pipes)) {}

    const Pipe& in(End end) const { return pipes_[end == End::a ? 1 : 0]; }
    const Pipe& out(End end) const { return pipes_[end == End::a ? 0 : 1]; }

    /// Channel::drained() of both.
    int drained();

private:
    std::array<Pipe, 2> pipes_;
};

}  // namespace ipcscope::bench
