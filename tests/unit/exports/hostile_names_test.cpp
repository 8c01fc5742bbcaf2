// SPDX-License-Identifier: GPL-2.0-only
// 100,000 names as processes may choose them, through each format: they stay text.
#include <algorithm>
#include <iterator>
#include <map>
#include <random>
#include <regex>
#include <set>

#include <nlohmann/json.hpp>
#include <sqlite3.h>

#include "render/html.hpp"
#include "render/render.hpp"
#include "render/stat.hpp"
#include "story.hpp"

namespace ipcscope::exports::test {
namespace {

using ipcscope::test::Folder;

constexpr std::size_t kNames = 100'000, kBatch = 1'000;

/// Bytes that mean something to one format or another, UTF-8 that is none, and any.
class Hostile {
public:
    explicit Hostile(unsigned seed) : random_(seed) {}

    Comm next()
    {
        static constexpr std::string_view kPieces[] = {
            "<", ">", "&", "\"", "'", "\\", ";", "{", "}", "=", "\n", "\r", "\t", "\x1b[2J", "\x7f",
            "--", "/*", "*/", "%s", "$(", "`", "</td>", "<script>", "]]>", "<!--", "&#60;", "');DROP",
            "\xe2\x80\xae", "\xe2\x80\x8b", "\xc2\x9b", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xc0\xaf",
            "\xcc\x81", "\xff", "\xc3", " ", "a", "Z", "0", "\x1f", "le=\"1\"", "# HELP"};
        std::string name;
        while (name.size() < 1 + random_() % 16) {
            if (random_() % 5 == 0) {
                name += static_cast<char>(1 + random_() % 255);
            } else {
                name += kPieces[random_() % std::size(kPieces)];
            }
        }
        return Comm(name);
    }
    std::vector<Comm> batch()
    {
        std::vector<Comm> names;
        std::generate_n(std::back_inserter(names), kBatch, [&] { return next(); });
        return names;
    }

private:
    std::mt19937 random_;
};

template <typename Check>
void each_batch(const Check& check)
{
    Hostile hostile{20};
    for (std::size_t at = 0; at < kNames; at += kBatch) {
        check(hostile.batch());
        if (testing::Test::HasFailure()) {
            return;
        }
    }
}

/// A report in which each name is at every place that has one.
aggregate::Report report_of(const std::vector<Comm>& names)
{
    aggregate::Report report;
    report.end_ns = 1'000'000'000;
    for (std::uint32_t at = 0; at < names.size(); ++at) {
        const decode::Task one{at + 1, at + 1, names[at]};
        const decode::Task next{at + 2, at + 2, names[(at + 1) % names.size()]};
        aggregate::SignalRow& signal = report.signals.emplace_back();
        signal.signal = 10;
        signal.sender = one;
        signal.target = next;
        signal.latency.add(1000);
        aggregate::WaitRow& wait = report.waits.emplace_back();
        wait.waiter = one;
        wait.waker = next;
        wait.total_ns = 5;
        aggregate::LongWait& stall = report.long_waits.emplace_back();
        stall.process = stall.waiter = one;
        stall.waker = next;
        stall.end_ns = 200'000'000;
        aggregate::ChannelRow& channel = report.channels.emplace_back();
        channel.type = decode::ObjectType::fifo;
        channel.path = names[at].text();
        channel.readers.emplace_back().task = one;
        channel.writers.emplace_back().task = next;
        report.processes.emplace_back().task = one;
    }
    report.host.hostname = names[0].text().str() + "<\"'&";
    report.host.command = {"<b>", "x\n"};
    return report;
}

diagnose::Findings findings_of(const std::vector<Comm>& names)
{
    diagnose::Findings findings;
    for (std::size_t at = 0; at < 20; ++at) {
        const std::string text = names[at].text().str();
        diagnose::Finding finding = diagnose::finding(diagnose::Code::slow_exit, text);
        finding.subjects.push_back({{1, 0, names[at]}, "target"});
        finding.evidence.push_back({"cause", text});
        finding.stack.push_back(text);
        finding.advice = text;
        findings.push_back(finding);
    }
    return findings;
}

std::vector<std::string> tags(const std::string& html)
{
    std::vector<std::string> out;
    for (std::size_t at = html.find('<'); at != std::string::npos; at = html.find('<', at)) {
        const std::size_t end = html.find('>', at);
        out.push_back(html.substr(at, end - at + 1));
        at = end == std::string::npos ? end : end + 1;
    }
    return out;
}

TEST(HostileNames, HtmlHasTheSameElements)
{
    const std::vector<Comm> plain(kBatch, Comm("plain"));
    const auto expected = tags(render::html(report_of(plain), findings_of(plain)));
    EXPECT_GT(expected.size(), 10'000u);
    each_batch([&](const std::vector<Comm>& names) {
        const std::string html = render::html(report_of(names), findings_of(names));
        EXPECT_EQ(tags(html), expected);
        for (const char byte : html) {
            ASSERT_TRUE(byte == '\n' || static_cast<unsigned char>(byte) >= ' ');
        }
    });
}

TEST(HostileNames, TextAndJson)
{
    each_batch([&](const std::vector<Comm>& names) {
        const aggregate::Report report = report_of(names);
        for (const char byte : render::text(report, findings_of(names))) {
            ASSERT_TRUE(byte == '\n' || static_cast<unsigned char>(byte) >= ' ');
            ASSERT_NE(byte, '\x7f');
        }
        const auto json = nlohmann::json::parse(render::json(report, findings_of(names)));
        for (std::size_t at = 0; at < names.size(); ++at) {
            ASSERT_EQ(json["signals"][at]["sender"]["comm"], names[at].text().str());
        }
    });
}

std::string unescaped(const std::string& value)
{
    std::string out;
    for (std::size_t at = 0; at < value.size(); ++at) {
        at += value[at] == '\\';
        out += value[at];
    }
    return out;
}

TEST(HostileNames, PrometheusLabels)
{
    const std::regex sample(R"re([a-z_]+(\{(?:[a-z]+="(?:[^"\\]|\\["\\])*",?)*\})? [0-9.]+)re",
                            std::regex::optimize);
    const std::regex comm(R"re(sent_total\{.*,comm="((?:[^"\\]|\\["\\])*)"\} )re");
    each_batch([&](const std::vector<Comm>& names) {
        aggregate::StatReport report;
        report.by = IPCSCOPE_STAT_BY_COMM;
        std::set<std::string> expected, seen;
        for (const Comm& name : names) {
            aggregate::StatLine line;
            line.key.event = IPCSCOPE_STAT_EVENT(IPCSCOPE_SIGNAL_GENERATE, 15, 0);
            line.name = name.text();
            line.count = 1;
            report.lines.push_back(line);
            expected.insert(name.text().str());
        }
        std::istringstream lines(render::stat_prom(report));
        for (std::string line; std::getline(lines, line);) {
            ASSERT_TRUE(line.starts_with("# HELP ipcscope_") || line.starts_with("# TYPE ipcscope_") ||
                        std::regex_match(line, sample))
                << line;
            std::smatch match;
            if (std::regex_search(line, match, comm)) {
                ASSERT_TRUE(seen.insert(unescaped(match[1])).second) << line;
            }
        }
        ASSERT_EQ(seen, expected);
    });
}

void feed(source::Sink& sink, std::vector<Comm>& names)
{
    Records records(sink);
    Hostile hostile{21};
    for (std::uint32_t pid = 1; pid <= kNames; ++pid) {
        const Comm name = hostile.next();
        names.push_back(name);
        const auto* bytes = reinterpret_cast<const char*>(&name);
        records.thread(pid * 0.01, pid, {bytes, strnlen(bytes, sizeof name)});
        records.call(pid * 0.01, pid * 0.01, pid * 0.01 + 0.005, pid, true, 7, 1);
    }
    records.end(2000);
}

TEST(HostileNames, Sqlite)
{
    Folder folder;
    std::vector<Comm> names;
    exported(folder / "t", sqlite, [&](source::Sink& sink) { feed(sink, names); });
    sqlite3* base = nullptr;
    ASSERT_EQ(sqlite3_open((folder / "t").c_str(), &base), SQLITE_OK);
    std::map<std::uint32_t, std::string> seen;
    sqlite3_exec(base, "SELECT t.pid, c.name FROM tasks t JOIN calls c ON c.task = t.id "
                       "WHERE t.name = c.name",
                 [](void* to, int, char** values, char**) {
                     static_cast<std::map<std::uint32_t, std::string>*>(to)->emplace(
                         std::stoul(values[0]), values[1]);
                     return 0;
                 },
                 &seen, nullptr);
    sqlite3_close(base);
    ASSERT_EQ(seen.size(), kNames);
    for (std::uint32_t pid = 1; pid <= kNames; ++pid) {
        ASSERT_EQ(seen[pid], names[pid - 1].text().str());
    }
}

/// What a terminal or a browser acts on is in no file.
TEST(HostileNames, FoldedAndPerfetto)
{
    Folder folder;
    std::vector<Comm> names;
    const std::string trace =
        exported(folder / "p", perfetto, [&](source::Sink& sink) { feed(sink, names); });
    for (std::size_t at = 0; at < kNames; at += 997) {
        ASSERT_NE(trace.find(names[at].text().str()), std::string::npos) << at;
    }
    EXPECT_EQ(trace.find("\x1b[2J"), std::string::npos);
    EXPECT_EQ(trace.find("\xe2\x80\xae"), std::string::npos);
    names.clear();
    std::istringstream lines(
        exported(folder / "f", folded, [&](source::Sink& sink) { feed(sink, names); }));
    for (std::string line; std::getline(lines, line);) {
        ASSERT_TRUE(std::ranges::all_of(line, [](char byte) {
            return static_cast<unsigned char>(byte) >= ' ' && byte != '\x7f';
        }));
    }
}

}  // namespace
}  // namespace ipcscope::exports::test
