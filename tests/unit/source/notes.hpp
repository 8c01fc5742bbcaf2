// SPDX-License-Identifier: GPL-2.0-only
// Reads the records that the collector adds; a process that stands still.
#pragma once

#include <csignal>
#include <cstring>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include <sys/wait.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include <ipcscope/record.h>

#include "base/comm.hpp"

namespace ipcscope::test {

struct Note {
    ipcscope_header header{};
    std::vector<std::byte> bytes;

    template <typename Body>
    Body as() const
    {
        Body body{};
        std::memcpy(&body, bytes.data(), std::min(sizeof body, bytes.size()));
        return body;
    }
    /// What follows the fixed part.
    template <typename Body>
    std::string text() const
    {
        const auto* from = reinterpret_cast<const char*>(bytes.data());
        return {from + sizeof(Body), from + bytes.size()};
    }
};

inline std::vector<Note> notes_in(std::span<const std::byte> bytes)
{
    std::vector<Note> notes;
    while (!bytes.empty()) {
        Note note;
        std::memcpy(&note.header, bytes.data(), sizeof note.header);
        note.bytes.assign(bytes.begin(), bytes.begin() + note.header.size);
        bytes = bytes.subspan(note.header.size);
        notes.push_back(std::move(note));
    }
    return notes;
}

inline Comm comm_of(const ipcscope_thread& record)
{
    return Comm(std::string_view(reinterpret_cast<const char*>(record.comm),
                                 sizeof record.comm));
}

/// A child that runs `body`, says so, and sleeps until it is killed.
class Child {
public:
    explicit Child(const std::function<void()>& body)
    {
        int ready[2];
        EXPECT_EQ(pipe(ready), 0);
        pid_ = fork();
        if (pid_ == 0) {
            close(ready[0]);
            body();
            if (write(ready[1], "x", 1) != 1) _exit(1);
            close(ready[1]);
            for (;;) pause();
        }
        close(ready[1]);
        char byte;
        EXPECT_EQ(read(ready[0], &byte, 1), 1);
        close(ready[0]);
    }
    ~Child()
    {
        ::kill(pid_, SIGKILL);
        waitpid(pid_, nullptr, 0);
    }
    Child(const Child&) = delete;
    Child& operator=(const Child&) = delete;

    std::uint32_t pid() const { return static_cast<std::uint32_t>(pid_); }

private:
    pid_t pid_;
};

}  // namespace ipcscope::test
