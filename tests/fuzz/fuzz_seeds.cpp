// SPDX-License-Identifier: GPL-2.0-only
// fuzz_seeds DIRECTORY: makes DIRECTORY/decode and DIRECTORY/capture.
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "capture/capture.hpp"
#include "unit/decode/records.hpp"

using namespace ipcscope;
namespace fs = std::filesystem;

namespace {

void write_file(const fs::path& path, std::string_view prefix, std::string_view bytes)
{
    std::ofstream{path, std::ios::binary} << prefix << bytes;
}

std::string_view text_of(const test::Record& record)
{
    return {reinterpret_cast<const char*>(record.data()), record.size()};
}

void decode_seeds(const fs::path& to)
{
    const std::string ring{static_cast<char>(test::kCpu), '\0'};
    for (const std::uint16_t kind : test::kKinds)
        write_file(to / std::to_string(kind), ring, text_of(test::record_of(kind)));
    write_file(to / "short", ring, text_of(test::short_call(IPCSCOPE_CALL_PIPE)));
    write_file(to / "all", ring, text_of(test::all_records()));
    write_file(to / "collector", "\xff\xff", text_of(test::all_records()));
}

bool write_capture(const std::string& path)
{
    auto writer = capture::Writer::create(path, true);
    if (!writer) return false;
    source::Host host;
    host.kernel = "6.1.0";
    host.cpus = 2;
    host.command = {"true"};
    capture::Writer& to = **writer;
    return to.host(host) && to.records(test::kCpu, test::all_records()) && to.watermark(1) &&
           to.records(source::Sink::kCollector, test::symbol()) &&
           to.ledger(source::Ledger(2)) && to.end(2);
}

bool capture_seeds(const fs::path& to)
{
    const std::string whole = to / "capture";
    if (!write_capture(whole)) return false;
    std::ifstream in{whole, std::ios::binary};
    const std::string bytes{std::istreambuf_iterator<char>{in}, {}};
    fs::remove(whole);
    for (const auto& [name, mode] : {std::pair{"repaired", "\0"}, std::pair{"raw", "\1"}}) {
        write_file(to / name, {mode, 1}, bytes);
        write_file(to / (std::string{name} + ".cut"), {mode, 1},
                   std::string_view{bytes}.substr(0, bytes.size() / 2));
    }
    return true;
}

}  // namespace

int main(int argc, char** argv)
{
    if (argc != 2) {
        std::fprintf(stderr, "usage: %s DIRECTORY\n", argv[0]);
        return 2;
    }
    const fs::path to = argv[1];
    fs::create_directories(to / "decode");
    fs::create_directories(to / "capture");
    decode_seeds(to / "decode");
    return capture_seeds(to / "capture") ? 0 : 1;
}
