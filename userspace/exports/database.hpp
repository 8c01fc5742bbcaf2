// SPDX-License-Identifier: GPL-2.0-only
// A SQLite database that is written once, from the beginning to the end.
#pragma once

#include <cerrno>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

#include <sqlite3.h>

#include "base/atomic_file.hpp"

namespace ipcscope::exports {

/// A prepared INSERT, run once for each row.
class Insert {
public:
    Insert() = default;
    explicit Insert(sqlite3_stmt* statement) : statement_(statement) {}

    /// A row of all columns, in order.  Text must live until it returns.
    template <typename... Values>
    int row(const Values&... values)
    {
        if (sqlite3_bind_parameter_count(statement_.get()) != int{sizeof...(Values)}) {
            std::abort();   // the schema has other columns
        }
        int at = 0;
        (bind(++at, values), ...);
        errno = 0;
        const int code = sqlite3_step(statement_.get());
        const int number = errno;   // for Database::error
        sqlite3_reset(statement_.get());
        errno = number;
        return code;
    }

private:
    void bind(int at, std::nullopt_t) { sqlite3_bind_null(statement_.get(), at); }
    /// SQLite's integers are signed: the upper half of 64 bits is negative.
    template <typename Number>
        requires std::is_integral_v<Number>
    void bind(int at, Number value)
    {
        sqlite3_bind_int64(statement_.get(), at, static_cast<sqlite3_int64>(value));
    }
    void bind(int at, std::string_view text)
    {
        sqlite3_bind_text64(statement_.get(), at, text.data() == nullptr ? "" : text.data(),
                            text.size(), SQLITE_STATIC, SQLITE_UTF8);
    }
    template <typename Value>
    void bind(int at, const std::optional<Value>& value)
    {
        value ? bind(at, *value) : bind(at, std::nullopt);
    }

    struct Finalize {
        void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
    };
    std::unique_ptr<sqlite3_stmt, Finalize> statement_;
};

class Database {
public:
    /// Opens what `file` writes to.
    static Result<Database> create(AtomicFile file);

    Result<void> run(const char* sql);
    /// "INSERT INTO table VALUES(?, …)" with so many values.
    Result<Insert> insert_into(const char* table, std::size_t columns);
    /// Of a code that is no success, at once.
    Error error(int code) const;
    /// Closes it and gives the file its name; no Insert may be there any more.
    Result<void> commit();

private:
    struct Close {
        void operator()(sqlite3* database) const { sqlite3_close(database); }
    };
    Database(AtomicFile file, sqlite3* database) : file_(std::move(file)), database_(database) {}

    AtomicFile file_;
    std::unique_ptr<sqlite3, Close> database_;
};

}  // namespace ipcscope::exports
