// SPDX-License-Identifier: GPL-2.0-only
// A sink that remembers, files in a folder of their own, captures as bytes.
#pragma once

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "../decode/records.hpp"
#include "capture/capture.hpp"

namespace ipcscope::test {

class Folder {
public:
    Folder()
    {
        std::string name =
            (std::filesystem::temp_directory_path() / "ipcscope.XXXXXX").string();
        if (::mkdtemp(name.data()) == nullptr) std::abort();
        path_ = name;
    }
    ~Folder()
    {
        std::error_code ignored;
        std::filesystem::remove_all(path_, ignored);
    }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;

    std::string operator/(const std::string& name) const { return (path_ / name).string(); }
    std::size_t files() const
    {
        return static_cast<std::size_t>(
            std::distance(std::filesystem::directory_iterator{path_}, {}));
    }

private:
    std::filesystem::path path_;
};

inline Record slurp(const std::string& path)
{
    std::ifstream in{path, std::ios::binary};
    const std::string text{std::istreambuf_iterator<char>{in}, {}};
    Record bytes(text.size());
    std::memcpy(bytes.data(), text.data(), text.size());
    return bytes;
}

inline void spill(const std::string& path, std::span<const std::byte> bytes)
{
    std::ofstream out{path, std::ios::binary | std::ios::trunc};
    out.write(reinterpret_cast<const char*>(bytes.data()),
              static_cast<std::streamsize>(bytes.size()));
}

/// What a sink was given, in order, one line a call; records one by one.
struct Memory final : source::Sink {
    std::vector<std::string> calls;
    std::vector<source::Host> hosts;
    std::vector<Record> records_seen;
    source::Ledger last_ledger;
    bool ended = false;

    Result<void> host(const source::Host& host) override
    {
        hosts.push_back(host);
        calls.push_back("host");
        return {};
    }
    Result<void> records(unsigned cpu, std::span<const std::byte> bytes) override
    {
        EXPECT_FALSE(bytes.empty());
        while (!bytes.empty()) {
            std::size_t size = decode_size(bytes);
            if (size == 0) size = bytes.size();
            records_seen.emplace_back(bytes.begin(), bytes.begin() + static_cast<long>(size));
            calls.push_back("record of " + std::to_string(cpu));
            bytes = bytes.subspan(size);
        }
        return {};
    }
    Result<void> watermark(std::uint64_t time_ns) override
    {
        calls.push_back("watermark " + std::to_string(time_ns));
        return {};
    }
    Result<void> ledger(const source::Ledger& ledger) override
    {
        last_ledger = ledger;
        calls.push_back("ledger of " + std::to_string(ledger.size()));
        return {};
    }
    Result<void> end(std::uint64_t time_ns) override
    {
        ended = true;
        calls.push_back("end " + std::to_string(time_ns));
        return {};
    }

private:
    static std::size_t decode_size(std::span<const std::byte> bytes)
    {
        if (bytes.size() < sizeof(ipcscope_header)) return 0;
        std::uint16_t size = 0;
        std::memcpy(&size, bytes.data() + offsetof(ipcscope_header, size), sizeof size);
        return size >= sizeof(ipcscope_header) && size <= bytes.size() ? size : 0;
    }
};

/// Takes everything and remembers nothing.
struct Blackhole final : source::Sink {
    Result<void> host(const source::Host&) override { return {}; }
    Result<void> records(unsigned, std::span<const std::byte>) override { return {}; }
    Result<void> watermark(std::uint64_t) override { return {}; }
    Result<void> ledger(const source::Ledger&) override { return {}; }
    Result<void> end(std::uint64_t) override { return {}; }
};

inline source::Host example_host()
{
    source::Host host;
    host.kernel = "6.1.0-test";
    host.version = "#1 SMP";
    host.machine = "x86_64";
    host.hostname = "box";
    host.cpus = 8;
    host.backend = "bpf";
    host.tool_version = "0.1.0";
    host.command = {"sh", "-c", "echo \"ü\"\n"};
    host.filters = {"--pid=12"};
    host.hooks = {"signal_generate (tp_btf)", "kill (fentry)"};
    host.start_ns = UINT64_MAX - 1;
    host.realtime_offset_ns = -1'700'000'000'000'000'000;
    return host;
}

inline source::Ledger example_ledger(std::size_t cpus)
{
    source::Ledger ledger(cpus);
    std::uint64_t next = 1;
    for (ipcscope_ledger& cpu : ledger) {
        for (ipcscope_tally& tally : cpu.kind) {
            tally.emitted = next++;
            tally.filtered = next++;
            for (__u64& lost : tally.lost) lost = next++;
        }
        cpu.lost = next++;
    }
    return ledger;
}

inline bool same_ledger(const source::Ledger& a, const source::Ledger& b)
{
    return a.size() == b.size() &&
           (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof a[0]) == 0);
}

/// A trace with several blocks of every type.
inline Result<void> write_example(source::Sink& sink)
{
    const auto on = [](unsigned cpu, Record bytes) {
        for (std::size_t at = 0; at < bytes.size();) {
            std::uint16_t size = 0;
            std::memcpy(&size, bytes.data() + at + offsetof(ipcscope_header, size),
                        sizeof size);
            poke(bytes, at + offsetof(ipcscope_header, cpu), static_cast<std::uint16_t>(cpu));
            at += size;
        }
        return bytes;
    };
    auto done = sink.host(example_host());
    if (done) done = sink.records(0, on(0, all_records()));
    if (done) done = sink.records(source::Sink::kCollector, on(0, symbol("odd")));
    if (done) done = sink.records(1, on(1, signal_take()));
    if (done) done = sink.records(1, on(1, short_call(IPCSCOPE_CALL_PIPE)));
    if (done) done = sink.watermark(1000);
    if (done) done = sink.records(3, on(3, all_records()));
    if (done) done = sink.ledger(example_ledger(2));
    if (done) done = sink.watermark(2000);
    if (done) done = sink.end(3000);
    return done;
}

inline Record example_bytes(const Folder& folder)
{
    const std::string path = folder / "example";
    auto writer = capture::Writer::create(path, false);
    if (!writer || !write_example(**writer)) std::abort();
    Record bytes = slurp(path);
    std::filesystem::remove(path);
    return bytes;
}

/// Replays all of a file.  @return why it is incomplete
inline Result<std::string> replay(const std::string& path, source::Sink& sink)
{
    auto reader = capture::Reader::open(path);
    if (!reader) return tl::unexpected(reader.error());
    for (;;) {
        const auto more = (*reader)->poll(sink, std::chrono::milliseconds{1000});
        if (!more) return tl::unexpected(more.error());
        if (!*more) return (*reader)->incomplete_why();
    }
}

inline void expect_one_line(const Error& error)
{
    EXPECT_EQ(error.code, Exit::input);
    EXPECT_FALSE(error.message.empty());
    EXPECT_EQ(error.message.find('\n'), std::string::npos) << error.message;
}

}  // namespace ipcscope::test
