// SPDX-License-Identifier: GPL-2.0-only
// Names and keys that outlive a process, so that none is ever left behind.
//
// Each is written into a table before the thing exists and struck out after it
// is gone.  The table is shared with a janitor, a child that waits for our
// death (SIGKILL included) and then removes what the table still holds.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include <sys/types.h>

#include "base/result.hpp"

namespace ipcscope::bench {

class Names {
public:
    enum class Kind : std::uint32_t {
        none,
        file,        ///< a path: file, FIFO or socket; unlink()
        posix_shm,   ///< shm_unlink()
        posix_mq,    ///< mq_unlink()
        posix_sem,   ///< sem_unlink()
        sysv_shm,    ///< by key: shmctl(IPC_RMID)
        sysv_msg,
        sysv_sem,
    };

    /// Starts the janitor.  Exit::kernel where no process can be made.
    static Result<std::unique_ptr<Names>> start();
    /// Removes what is still there and ends the janitor.
    ~Names();
    Names(const Names&) = delete;
    Names& operator=(const Names&) = delete;

    /// A thing in the table; it is removed, if it is still there, and struck out
    /// with this object.
    class Entry {
    public:
        Entry() = default;
        Entry(Entry&& from) noexcept;
        Entry& operator=(Entry&& from) noexcept;
        ~Entry() { remove(); }

        const std::string& name() const { return name_; }   ///< path or "/name"
        key_t key() const { return key_; }                  ///< System V only
        /// Removes it now: what has it open keeps it.
        void remove();

    private:
        friend class Names;
        Names* names_ = nullptr;
        unsigned slot_ = 0;
        std::string name_;
        key_t key_ = 0;
    };

    /// Enters a name that nobody has yet, below $TMPDIR for files.  Exit::kernel
    /// where the table is full.  To be created with O_EXCL (IPC_EXCL).
    Result<Entry> reserve(Kind kind);

    /// How many are in the table now.
    unsigned held() const;

private:
    struct Table;
    Names(Table* table, pid_t janitor);
    Table* table_;
    pid_t janitor_;
    pid_t owner_;   ///< a forked copy removes nothing
    std::string directory_;
    std::uint64_t next_ = 0;
};

}  // namespace ipcscope::bench
