// SPDX-License-Identifier: GPL-2.0-only
#include "trace.hpp"

#include <fstream>
#include <sstream>

#include <sys/stat.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "capture/capture.hpp"
#include "decode/decode.hpp"
#include "decode/merge.hpp"
#include "decode/thread_table.hpp"

namespace ipcscope::conformance {
namespace {

class Collector final : public source::Sink {
public:
    Collector(Capture& capture, bool keep)
        : capture_(capture), keep_(keep),
          merger_([this](const decode::Event& event) {
              capture_.events.push_back(event);
              threads_.stamp(capture_.events.back());
          })
    {
    }

    Result<void> host(const source::Host& host) override
    {
        capture_.host = host;
        return {};
    }
    Result<void> records(unsigned cpu, std::span<const std::byte> bytes) override
    {
        while (!bytes.empty()) {
            auto decoded = decode::decode(cpu, bytes);
            if (!decoded) {
                capture_.malformed++;
                const std::size_t size = decode::record_size(bytes);
                bytes = bytes.subspan(size ? size : bytes.size());
                continue;
            }
            bytes = bytes.subspan(decoded->size);
            take(cpu, std::move(decoded->event));
        }
        return {};
    }
    Result<void> watermark(std::uint64_t time_ns) override
    {
        merger_.watermark(time_ns);
        return {};
    }
    Result<void> ledger(const source::Ledger& ledger) override
    {
        capture_.ledger = ledger;
        return {};
    }
    Result<void> end(std::uint64_t time_ns) override
    {
        capture_.end_ns = time_ns;
        return {};
    }
    void flush()
    {
        merger_.flush();
        capture_.late = merger_.late();
    }

private:
    void take(unsigned cpu, decode::Event event)
    {
        const bool counts = cpu != source::Sink::kCollector;
        if (counts && event.kind < capture_.decoded.size()) {
            capture_.decoded[event.kind]++;
        }
        if (counts && !event.unfinished) {
            auto& last = capture_.last_lost[cpu];
            capture_.gaps_grow &= event.lost_before >= last;
            last = event.lost_before;
        }
        if (keep_) {
            merger_.add(std::move(event));
        }
    }

    Capture& capture_;
    bool keep_;
    decode::ThreadTable threads_;
    decode::Merger merger_;
};

}  // namespace

Facts Facts::load(const std::string& path)
{
    Facts facts;
    std::istringstream lines(read_file(path));
    std::string line;
    while (std::getline(lines, line)) {
        std::istringstream words(line);
        std::string name;
        words >> name;
        Numbers numbers;
        for (std::uint64_t number = 0; words >> number;) {
            numbers.push_back(number);
        }
        facts.facts_[name].push_back(numbers);
    }
    return facts;
}

const std::vector<Numbers>& Facts::all(const std::string& name) const
{
    static const std::vector<Numbers> none;
    const auto at = facts_.find(name);
    return at == facts_.end() ? none : at->second;
}

std::uint64_t Facts::at(const std::string& name, std::size_t n) const
{
    const auto& found = all(name);
    if (found.size() != 1 || found[0].size() <= n) {
        ADD_FAILURE() << "the workload did not say \"" << name << "\" once";
        return 0;
    }
    return found[0][n];
}

std::uint64_t Capture::tally(unsigned kind, __u64 ipcscope_tally::*what) const
{
    std::uint64_t sum = 0;
    for (const ipcscope_ledger& cpu : ledger) {
        sum += cpu.kind[kind].*what;
    }
    return sum;
}

std::uint64_t Capture::lost(unsigned kind, unsigned cause) const
{
    std::uint64_t sum = 0;
    for (const ipcscope_ledger& cpu : ledger) {
        sum += cpu.kind[kind].lost[cause];
    }
    return sum;
}

std::uint64_t Capture::lost(unsigned kind) const
{
    std::uint64_t sum = 0;
    for (unsigned cause = 0; cause < IPCSCOPE_LOST_COUNT; cause++) {
        sum += lost(kind, cause);
    }
    return sum;
}

std::uint64_t Capture::lost() const
{
    std::uint64_t sum = 0;
    for (unsigned kind = 0; kind < IPCSCOPE_KIND_COUNT; kind++) {
        sum += lost(kind);
    }
    return sum;
}

Capture load_capture(const std::string& path, bool keep_events)
{
    Capture capture;
    auto reader = capture::Reader::open(path);
    if (!reader) {
        capture.error = reader.error().message;
        return capture;
    }
    Collector collector(capture, keep_events);
    while (true) {
        const auto more = (*reader)->poll(collector, std::chrono::milliseconds(0));
        if (!more) {
            capture.error = more.error().message;
            break;
        }
        if (!*more) {
            capture.incomplete_why = (*reader)->incomplete_why();
            break;
        }
    }
    collector.flush();
    return capture;
}

bool attached(const std::string& file)
{
    for (int tries = 0; tries < 600; tries++) {
        struct stat info {};
        if (stat(file.c_str(), &info) == 0 && info.st_size > 0 &&
            !load_capture(file).host.hooks.empty()) {
            return true;
        }
        usleep(50'000);
    }
    return false;
}

void analyse(Trace& trace, bool keep_events)
{
    trace.capture = load_capture(trace.file, keep_events);
    const Finished report = ipcscope({"report", "--json", trace.file});
    trace.report = Json::parse(report.out, nullptr, false);
    EXPECT_EQ(trace.capture.error, "");
    EXPECT_FALSE(trace.report.is_discarded()) << report.out << report.err;
}

Trace record(const Words& options, const Words& command, bool keep_events)
{
    Trace trace;
    const std::string directory = scratch();
    trace.file = directory + "/trace.ipcs";
    Words words{"record", "-o", trace.file};
    words.insert(words.end(), options.begin(), options.end());
    words.emplace_back("--");
    words.insert(words.end(), command.begin(), command.end());
    Settings settings;
    settings.facts = directory + "/facts";
    trace.record = ipcscope(words, settings);
    trace.facts = Facts::load(settings.facts);
    analyse(trace, keep_events);
    return trace;
}

Trace record_workload(const Words& options, const std::string& workload,
                      const Words& arguments, bool keep_events)
{
    Trace trace = record(options, workload_words(workload, arguments), keep_events);
    EXPECT_EQ(trace.record.status, 0) << trace.record.err;
    EXPECT_EQ(trace.capture.incomplete_why, "");
    EXPECT_NE(trace.capture.end_ns, 0u);
    return trace;
}

void expect_exact(const Trace& trace)
{
    const Capture& capture = trace.capture;
    EXPECT_EQ(capture.malformed, 0u);
    std::uint64_t shown = 0, filtered = 0;
    for (unsigned kind = 1; kind < IPCSCOPE_KIND_COUNT; kind++) {
        const std::string name(decode::kind_name(kind));
        EXPECT_EQ(capture.decoded[kind], capture.tally(kind, &ipcscope_tally::emitted)) << name;
        shown += capture.decoded[kind];
        filtered += capture.filtered(kind);
        const Json row = trace.report["loss"]["kinds"].value(name, Json());
        if (row.is_null() && capture.decoded[kind] + capture.filtered(kind) == 0) {
            continue;
        }
        EXPECT_EQ(row["shown"], capture.decoded[kind]) << name;
        EXPECT_EQ(row["filtered"], capture.filtered(kind)) << name;
        EXPECT_EQ(row["lost"], capture.lost(kind)) << name;
        EXPECT_EQ(row["generated"], row["shown"].get<std::uint64_t>() +
                                        row["filtered"].get<std::uint64_t>() +
                                        row["lost"].get<std::uint64_t>()) << name;
    }
    const Json& loss = trace.report["loss"];
    EXPECT_EQ(loss["shown"], shown);
    EXPECT_EQ(loss["filtered"], filtered);
    EXPECT_EQ(loss["generated"], shown + filtered + capture.lost());
    std::uint64_t lost = 0;
    for (const auto& [cause, count] : loss["lost"].items()) {
        lost += count.get<std::uint64_t>();
    }
    EXPECT_EQ(lost, capture.lost());
    EXPECT_EQ(loss["malformed"], 0);
    EXPECT_EQ(loss["exact"], true);
    EXPECT_TRUE(capture.gaps_grow);
    for (const auto& [cpu, before] : capture.last_lost) {
        if (cpu < capture.ledger.size()) {
            EXPECT_LE(before, capture.ledger[cpu].lost) << "CPU " << cpu;
        }
    }
}

void expect_lossless(const Trace& trace)
{
    expect_exact(trace);
    EXPECT_EQ(trace.capture.lost(), 0u);
    for (const auto& [cause, count] : trace.report["loss"]["lost"].items()) {
        EXPECT_EQ(count, 0) << cause;
    }
}

}  // namespace ipcscope::conformance
