// SPDX-License-Identifier: GPL-2.0-only
// Bad input: one line that says what, where and what to do about it; a
// documented status; and nothing left attached.
#include <algorithm>
#include <fstream>

#include <sys/stat.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "guest.hpp"
#include "trace.hpp"

namespace ipcscope::conformance {
namespace {

constexpr unsigned kUnprivileged = 65534;

class BadInput : public testing::Test {
protected:
    void SetUp() override { before_ = loaded_programs(); }
    void TearDown() override { EXPECT_TRUE(nothing_attached(before_)); }

    /// One line on standard error with `part` in it, nothing on standard output.
    static void expect(const Words& words, int status, const std::string& part,
                       const Settings& settings = {})
    {
        const Finished done = ipcscope(words, settings);
        std::string shown;
        for (const std::string& word : words) {
            shown += word + ' ';
        }
        EXPECT_EQ(done.status, status) << shown << '\n' << done.err;
        EXPECT_EQ(std::count(done.err.begin(), done.err.end(), '\n'), 1)
            << shown << '\n' << done.err;
        EXPECT_TRUE(done.err.starts_with("ipcscope: ")) << done.err;
        EXPECT_NE(done.err.find(part), std::string::npos) << done.err << " lacks " << part;
        EXPECT_EQ(done.out, "") << shown;
    }
    static std::string fresh() { return scratch() + "/trace.ipcs"; }
    static const std::string& capture()
    {
        static const std::string file = record_workload({}, "exit_with", {"0"}).file;
        return file;
    }

private:
    unsigned before_ = 0;
};

TEST_F(BadInput, Usage)
{
    expect({"record", "--no-such-option"}, 2, "--no-such-option");
    expect({}, 2, "");
    expect({"record", "-o", fresh(), "--signal", "NOSUCH"}, 2, "NOSUCH");
    expect({"record", "-o", fresh(), "--signal", "65"}, 2, "65");
    expect({"record", "-o", fresh(), "--signal", "0"}, 2, "0");
    expect({"record", "-o", fresh(), "--comm", "longer-than-fifteen"}, 2, "longer-than");
    expect({"record", "-o", fresh(), "--ring-size", "3"}, 2, "ring-size");
    expect({"record", "-o", fresh(), "--on-loss", "shrug"}, 2, "on-loss");
    expect({"record", "-o", fresh(), "--all"}, 2, "--all");
    expect({"report", "-i", "none.ipcs"}, 6, "none.ipcs");
}

TEST_F(BadInput, NoSuchTask)
{
    const std::string file = fresh();
    expect({"record", "-o", file, "--pid", "4194303"}, 6, "4194303");
    EXPECT_NE(access(file.c_str(), F_OK), 0) << "an empty capture is left";
    expect({"record", "-o", fresh(), "--tid", "4194303"}, 6, "4194303");
    expect({"record", "-o", fresh(), "--cgroup", "/nowhere/at/all"}, 2, "/nowhere/at/all");
    expect({"record", "-o", fresh(), "--pid", "-5"}, 2, "-5");
}

TEST_F(BadInput, NotRoot)
{
    Settings unprivileged;
    unprivileged.uid = kUnprivileged;
    const std::string open = scratch();
    chmod(open.c_str(), 0777);
    expect({"record", "-o", open + "/trace.ipcs"}, 3, "root", unprivileged);
    EXPECT_NE(access((open + "/trace.ipcs").c_str(), F_OK), 0) << "an empty capture is left";
    expect({"record", "-o", open + "/trace.ipcs", "--", "true"}, 3, "root", unprivileged);
}

TEST_F(BadInput, UnwritableOutput)
{
    expect({"record", "-o", "/proc/nowhere/trace.ipcs", "--", "true"}, 6, "/proc/nowhere");
    expect({"record", "-o", "/", "--", "true"}, 6, "/");
    const std::string text = scratch() + "/text";
    std::ofstream(text) << "no capture";
    expect({"record", "-o", text, "--", "true"}, 6, "--force");
    const std::string link = scratch() + "/link", target = scratch() + "/target";
    ASSERT_EQ(symlink(target.c_str(), link.c_str()), 0);
    expect({"record", "-o", link, "--", "true"}, 6, "link");
    EXPECT_NE(access(target.c_str(), F_OK), 0) << "it wrote through a symbolic link";
}

TEST_F(BadInput, FullDisk)
{
    const std::string file = mount_tmpfs("64k") + "/trace.ipcs";
    expect({"record", "-o", file, "--", "sh", "-c",
            "dd if=/dev/zero bs=1 count=2000 2>/dev/null | cat >/dev/null"},
           6, "No space left");
    // What fitted is readable, and known to be cut.
    const Capture cut = load_capture(file);
    EXPECT_EQ(cut.error, "");
    EXPECT_EQ(cut.malformed, 0u);
    EXPECT_NE(cut.incomplete_why, "");
    EXPECT_GT(cut.decoded[IPCSCOPE_CALL_PIPE], 0u);
}

TEST_F(BadInput, NoCapture)
{
    const std::string directory = scratch();
    std::ofstream(directory + "/text") << "this is no capture, but it is long enough for one\n";
    std::ofstream(directory + "/empty");
    expect({"report", directory + "/text"}, 6, "/text");
    expect({"report", directory + "/empty"}, 6, "/empty");
    expect({"report", directory + "/missing"}, 6, "/missing");
    expect({"report", directory}, 6, directory);
    expect({"dump", directory + "/text"}, 6, "/text");
    expect({"report", "--json", directory + "/text"}, 6, "/text");
}

TEST_F(BadInput, AnotherVersion)
{
    std::string bytes = read_file(capture());
    ASSERT_GT(bytes.size(), 32u);
    // docs/capture-format.md: transport at 14, schema at 16, crc of 28 at 28.
    const auto patched = [&](std::size_t at, const char* name) {
        std::string changed = bytes;
        changed[at] = 99;
        std::uint32_t crc = ~0u;
        for (std::size_t i = 0; i < 28; i++) {
            crc ^= static_cast<unsigned char>(changed[i]);
            for (int bit = 0; bit < 8; bit++) {
                crc = (crc >> 1) ^ (crc & 1 ? 0xedb88320u : 0);
            }
        }
        crc = ~crc;
        for (std::size_t i = 0; i < 4; i++) {
            changed[28 + i] = static_cast<char>(crc >> (8 * i));
        }
        const std::string path = scratch() + '/' + name;
        std::ofstream(path, std::ios::binary) << changed;
        return path;
    };
    expect({"report", patched(14, "transport")}, 6, "99");
    expect({"report", patched(16, "schema")}, 6, "99");
}

/// Cut at many a byte: it opens, says so, and reports what is before the cut.
TEST_F(BadInput, CutAnywhere)
{
    const std::string bytes = read_file(capture());
    const Capture whole = load_capture(capture());
    const std::string path = scratch() + "/cut";
    std::uint64_t last = 0;
    for (std::size_t size = 32; size < bytes.size(); size += 1 + bytes.size() / 97) {
        std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes.substr(0, size);
        const Capture cut = load_capture(path);
        EXPECT_EQ(cut.error, "") << size;
        EXPECT_NE(cut.incomplete_why, "") << size;
        std::uint64_t records = 0;
        for (std::uint64_t count : cut.decoded) {
            records += count;
        }
        EXPECT_GE(records, last) << size;
        last = records;
    }
    std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes.substr(0, bytes.size() - 5);
    const Finished report = ipcscope({"report", "--json", path});
    EXPECT_EQ(report.status, 6);
    EXPECT_EQ(Json::parse(report.out, nullptr, false)["complete"], false);
    EXPECT_EQ(load_capture(path).decoded, whole.decoded);
}

TEST_F(BadInput, ClosedOutput)
{
    Settings full;
    full.out = "/dev/full";
    const Finished done = ipcscope({"report", capture()}, full);
    EXPECT_EQ(done.status, 6) << done.err;
    EXPECT_EQ(std::count(done.err.begin(), done.err.end(), '\n'), 1) << done.err;
}

}  // namespace
}  // namespace ipcscope::conformance
