// SPDX-License-Identifier: GPL-2.0-only
#include "exports/database.hpp"

#include <cerrno>

#include <fmt/format.h>

namespace ipcscope::exports {
namespace {

// It is new and its own: what a journal would save is removed where the export fails.
constexpr const char kSettings[] = "PRAGMA journal_mode = OFF; PRAGMA synchronous = OFF;"
                                   "PRAGMA locking_mode = EXCLUSIVE; PRAGMA cache_size = -16384;"
                                   "BEGIN;";

}  // namespace

Result<Database> Database::create(AtomicFile file)
{
    if (!file.is_renamed()) {
        return fail(Exit::usage, "--sqlite: a database cannot be written to a pipe or a device: "
                                 "name a file");
    }
    sqlite3* opened = nullptr;
    const int code = sqlite3_open_v2(file.temporary().c_str(), &opened,
                                     SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, nullptr);
    Database database(std::move(file), opened);
    if (code != SQLITE_OK) {
        return tl::unexpected<Error>(database.error(code));
    }
    return database.run(kSettings).map([&] { return std::move(database); });
}

Error Database::error(int code) const
{
    if (code == SQLITE_FULL) {
        return file_.error(ENOSPC);
    }
    const int last = errno;
    const int known = database_ ? sqlite3_system_errno(database_.get()) : 0;
    if (const int number = known != 0 ? known : last; number != 0) {
        return file_.error(number);
    }
    Error error = file_.error(EIO);
    error.message += fmt::format(" (SQLite: {})", sqlite3_errstr(code));
    return error;
}

Result<void> Database::run(const char* sql)
{
    errno = 0;
    const int code = sqlite3_exec(database_.get(), sql, nullptr, nullptr, nullptr);
    return code == SQLITE_OK ? Result<void>() : tl::unexpected<Error>(error(code));
}

Result<Insert> Database::insert_into(const char* table, std::size_t columns)
{
    std::string sql = fmt::format("INSERT INTO {} VALUES(?", table);
    for (std::size_t at = 1; at < columns; ++at) {
        sql += ",?";
    }
    sql += ')';
    sqlite3_stmt* statement = nullptr;
    const int code = sqlite3_prepare_v3(database_.get(), sql.c_str(), -1,
                                        SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
    if (code != SQLITE_OK) {
        return tl::unexpected<Error>(error(code));
    }
    return Insert(statement);
}

Result<void> Database::commit()
{
    if (auto done = run("COMMIT"); !done) {
        return done;
    }
    const int code = sqlite3_close(database_.get());
    if (code != SQLITE_OK) {
        return tl::unexpected<Error>(error(code));
    }
    static_cast<void>(database_.release());
    return file_.commit();
}

}  // namespace ipcscope::exports
