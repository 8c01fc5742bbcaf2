// SPDX-License-Identifier: GPL-2.0-only
// The database: its columns are those of the documentation, and the queries of
// docs/queries.md give answers that are known.
#include <filesystem>
#include <map>
#include <regex>
#include <set>

#include <sqlite3.h>

#include "../decode/hostile.hpp"
#include "story.hpp"

namespace ipcscope::exports::test {
namespace {

namespace fs = std::filesystem;
using ipcscope::test::Folder;
using Rows = std::vector<std::string>;

std::string document(const char* name)
{
    const fs::path docs = fs::path(__FILE__).parent_path() / "../../../docs";
    std::ifstream in(docs / name);
    EXPECT_TRUE(in) << name;
    return {std::istreambuf_iterator<char>(in), {}};
}

class Base {
public:
    explicit Base(const Feed& feed)
    {
        exported(folder_ / "t.db", sqlite, feed);
        EXPECT_EQ(folder_.files(), 1u);   // no journal, nothing temporary
        EXPECT_EQ(sqlite3_open_v2((folder_ / "t.db").c_str(), &base_, SQLITE_OPEN_READONLY, nullptr),
                  SQLITE_OK);
    }
    ~Base() { sqlite3_close(base_); }

    /// "a|b", a row each.
    Rows ask(const std::string& sql)
    {
        Rows rows;
        char* why = nullptr;
        sqlite3_exec(base_, sql.c_str(), &Base::add, &rows, &why);
        EXPECT_EQ(why, nullptr) << why << "\n" << sql;
        sqlite3_free(why);
        return rows;
    }

private:
    static int add(void* to, int columns, char** values, char**)
    {
        std::string row;
        for (int at = 0; at < columns; ++at) {
            row += (at == 0 ? "" : "|") + std::string(values[at] != nullptr ? values[at] : "NULL");
        }
        static_cast<Rows*>(to)->push_back(row);
        return 0;
    }

    Folder folder_;
    sqlite3* base_ = nullptr;
};

TEST(Sqlite, ColumnsAreThoseOfTheDocumentation)
{
    std::map<std::string, Rows> documented;
    std::string table;
    std::istringstream lines(document("export.md"));
    for (std::string line; std::getline(lines, line);) {
        std::smatch match;
        if (std::regex_match(line, match, std::regex("#+ `?([a-z_-]+)`?"))) {
            table = match[1];
        } else if (std::regex_search(line, match, std::regex("^\\| `([a-z_]+)` \\|"))) {
            documented[table].push_back(match[1]);
        }
    }
    Base base(plain_story);
    const Rows tables = base.ask("SELECT name FROM sqlite_master WHERE type = 'table' "
                                 "AND name NOT LIKE 'sqlite%'");
    EXPECT_EQ(tables.size(), 10u);
    for (const std::string& name : tables) {
        EXPECT_EQ(base.ask("SELECT name FROM pragma_table_info('" + name + "')"), documented[name])
            << name;
    }
}

/// By their numbers.
std::map<int, std::string> queries()
{
    const std::string text = document("queries.md");
    const std::regex query("## ([0-9]+)\\. [^\n]*\n\n```sql\n([^`]*)```");
    std::map<int, std::string> out;
    for (std::sregex_iterator at(text.begin(), text.end(), query), end; at != end; ++at) {
        out[std::stoi((*at)[1])] = (*at)[2];
    }
    return out;
}

TEST(Sqlite, QueriesGiveTheTruth)
{
    Base base(plain_story);
    auto query = queries();
    ASSERT_EQ(query.size(), 11u);
    EXPECT_EQ(base.ask(query[1]),
              (Rows{"error|signal-blocked|target|reader|200",
                    "error|signal-blocked|sender|killer|300",
                    "warning|kill-stuck|target|writer|100",
                    "warning|kill-stuck|sender|killer|300"}));
    EXPECT_EQ(base.ask(query[2]),
              (Rows{"killer/300|SIGKILL|writer/100|death|1",
                    "killer/300|SIGTERM|reader/200|pending|1",
                    "killer/300|SIGUSR1|reader/200|handler|1"}));
    EXPECT_EQ(base.ask(query[3]), (Rows{"SIGKILL|killer|writer|195.0|interruptible",
                                        "SIGUSR1|killer|reader|2.0|interruptible"}));
    EXPECT_EQ(base.ask(query[4]), (Rows{"SIGTERM|killer|reader|delivered|pending|50.0"}));
    EXPECT_EQ(base.ask(query[5]), (Rows{"reader|read|pipe|7|31.0|30.0|0.5|0.0",
                                        "writer|write|pipe|7|3.0|0.0|0.0|0.0"}));
    EXPECT_EQ(base.ask(query[6]), (Rows{"reader|data|writer|1|30.0"}));
    EXPECT_EQ(base.ask(query[7]), (Rows{"7|0.0|30.0|30.0"}));
    EXPECT_EQ(base.ask(query[8]), (Rows{"writer|100|60.0|200.0|NULL|NULL"}));
    EXPECT_EQ(base.ask(query[9]), (Rows{"reader|200|5300.0|1.3|0.0|0.6|0.0|98.1",
                                        "killer|300|5300.0|0.2|0.0|0.0|0.0|99.8",
                                        "writer|100|265.0|24.5|0.0|0.0|75.5|0.0"}));
    const Rows ledger = base.ask(query[10]);
    EXPECT_EQ(ledger.size(), 7u);
    EXPECT_EQ(ledger.front(), "call_pipe|2|2|0|0|NULL");
    EXPECT_EQ(base.ask("SELECT value FROM meta WHERE key IN ('exact', 'complete')"),
              (Rows{"1", "1"}));
}

TEST(Sqlite, HandlersAndTheSignalsThatWaitForThem)
{
    Base base([](source::Sink& sink) {
        Records records(sink);
        records.thread(0, 200, "server");
        records.thread(0, 300, "client");
        records.send(10, 300, 200, 10);
        records.take(11, 200, 10, IPCSCOPE_TAKE_HANDLER);
        records.send(15, 300, 200, 12);   // USR1's handler blocks it
        records.handler(11, 41, 200, 10);
        records.take(42, 200, 12, IPCSCOPE_TAKE_HANDLER);
        records.handler(42, 44, 200, 12, true, 1);
        records.end(100);
    });
    EXPECT_EQ(base.ask("SELECT name, tid, signal, start_ns, end_ns, run_ns, returned, depth "
                       "FROM handlers ORDER BY id"),
              (Rows{"server|200|SIGUSR1|11000000|41000000|30000000|1|0",
                    "server|200|SIGUSR2|42000000|44000000|2000000|0|1"}));
    EXPECT_EQ(base.ask("SELECT t.name FROM handlers h JOIN tasks t ON t.id = h.task"),
              (Rows{"server", "server"}));
    EXPECT_EQ(base.ask(queries()[11]), (Rows{"SIGUSR2|server|27.0|SIGUSR1|30.0"}));
}

TEST(Sqlite, LossesAreThere)
{
    Base base([](source::Sink& sink) {
        Records records(sink);
        records.thread(0, 100, "writer");
        records.call(0, 1, 2, 100, true, 7, 4096);
        records.lose(1, IPCSCOPE_CALL_PIPE, 3);
        records.lose(2, IPCSCOPE_CALL_PIPE, 4);
        records.end(10);
    });
    EXPECT_EQ(base.ask("SELECT * FROM losses ORDER BY cpu"),
              (Rows{"1|call_pipe|ring_full|3", "2|call_pipe|ring_full|4"}));
    EXPECT_EQ(base.ask(queries()[10]).front(), "call_pipe|8|1|0|7|ring_full");
}

TEST(Sqlite, NumbersThatAreUsedAgainAreOtherTasks)
{
    Base base([](source::Sink& sink) {
        Records records(sink);
        records.thread(0, 100, "first");
        records.call(0, 1, 2, 100, true, 7, 1);
        records.time_of(2, 3, 100, {}, true);
        records.thread(5, 100, "second", IPCSCOPE_THREAD_FORK);
        records.call(5, 6, 7, 100, true, 7, 1);
        records.end(10);
    });
    EXPECT_EQ(base.ask("SELECT t.name, t.exit_ns, t.born_ns, c.enter_ns FROM tasks t "
                       "JOIN calls c ON c.task = t.id ORDER BY c.id"),
              (Rows{"first|3000000|NULL|1000000", "second|NULL|5000000|6000000"}));
    EXPECT_EQ(base.ask("SELECT user, cgroup FROM tasks"), (Rows{"NULL|NULL", "NULL|NULL"}));
}

/// Modulo 2^64: SQLite's own sum would be a floating-point number where it overflows.
void expect_sums(Base& base)
{
    const Rows rows = base.ask(
        "SELECT span_ns, running_ns, runnable_ns, blocked_ns, sleeping_ns, polling_ns, "
        "uninterruptible_ns, killable_ns, other_ns FROM tasks");
    EXPECT_FALSE(rows.empty());
    for (const std::string& row : rows) {
        std::istringstream numbers(row);
        std::vector<std::uint64_t> values;
        for (std::string number; std::getline(numbers, number, '|');) {
            values.push_back(static_cast<std::uint64_t>(std::stoll(number)));
        }
        std::uint64_t sum = 0;
        for (std::size_t at = 1; at < values.size(); ++at) {
            sum += values[at];
        }
        EXPECT_EQ(sum, values[0]) << row;
    }
}

/// Any records become rows, each call and each signal once, and the parts add up.
TEST(Sqlite, RandomRecords)
{
    for (std::uint32_t seed = 1; seed <= 3; ++seed) {
        Base base([&](source::Sink& sink) {
            ipcscope::test::Random random{seed};
            std::uint64_t now = kStart_ns;
            for (std::size_t i = 0; i < ipcscope::test::hostile_records() / 8; ++i) {
                EXPECT_TRUE(sink.records(
                    i % 4, ipcscope::test::any_record(random, now += random.below(100))));
            }
            EXPECT_TRUE(sink.end(now));
        });
        EXPECT_GT(std::stoull(base.ask("SELECT count(*) FROM calls").front()), 50u);
        EXPECT_GT(std::stoull(base.ask("SELECT count(*) FROM signals").front()), 25u);
        expect_sums(base);
        EXPECT_EQ(base.ask("SELECT count(*) FROM calls WHERE task NOT IN (SELECT id FROM tasks)"),
                  Rows{"0"});
        EXPECT_EQ(base.ask("PRAGMA integrity_check"), Rows{"ok"});
    }
}

TEST(Sqlite, NeedsAFile)
{
    const auto made = AtomicFile::create("/dev/null", 0600).and_then(sqlite);
    ASSERT_FALSE(made);
    EXPECT_EQ(made.error().code, Exit::usage);
}

}  // namespace
}  // namespace ipcscope::exports::test
