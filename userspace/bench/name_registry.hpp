// SPDX-License-Identifier: GPL-2.0-only
// Registers the names and keys of objects that outlive a process (files, POSIX and
// System V IPC objects), so that all of them are removed.
//
// A name is entered into a table before its object is created and deleted from it after
// the object is removed.  The table is shared with the cleanup process, a child that
// waits until its parent exits (also by SIGKILL) and then removes every object that is
// still in the table.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <utility>

#include <sys/types.h>

#include "base/result.hpp"

namespace ipcscope::bench {

class NameRegistry {
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

    /// Starts the cleanup process.  Exit::kernel if fork() fails.
    static Result<std::unique_ptr<NameRegistry>> start();
    /// Removes the remaining objects and ends the cleanup process.
    ~NameRegistry();
    NameRegistry(const NameRegistry&) = delete;
    NameRegistry& operator=(const NameRegistry&) = delete;

    /// An entry of the table.  The destructor removes the IPC object, if it still
    /// exists, and deletes the entry.
    class Entry {
    public:
        Entry() = default;
        Entry(Entry&& from) noexcept;
        Entry& operator=(Entry&& from) noexcept;
        ~Entry() { remove(); }

        const std::string& name() const { return name_; }   ///< path or "/name"
        key_t key() const { return key_; }                  ///< System V only
        /// Removes the name now; open descriptors and mappings stay valid.
        void remove();

    private:
        friend class NameRegistry;
        NameRegistry* names_ = nullptr;
        unsigned slot_ = 0;
        std::string name_;
        key_t key_ = 0;
    };

    /// Reserves an unused name, below $TMPDIR for files.  Exit::kernel if the table is
    /// full.  The caller creates the object with O_EXCL (IPC_EXCL).
    Result<Entry> reserve(Kind kind);

    /// Number of entries.
    unsigned size() const;

private:
    struct Table;
    NameRegistry(Table* table, pid_t cleanup_pid);
    Table* table_;
    pid_t cleanup_pid_;
    pid_t owner_;   ///< a forked copy of this object removes nothing
    std::string directory_;
    std::uint64_t next_ = 0;
};

}  // namespace ipcscope::bench
