// SPDX-License-Identifier: GPL-2.0-only
// Whole, or not at all.
#include <cerrno>
#include <csignal>
#include <filesystem>
#include <fstream>
#include <iterator>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "base/atomic_file.hpp"
#include "base/closed_pipe.hpp"

namespace ipcscope {
namespace {

namespace fs = std::filesystem;

class AtomicFiles : public testing::Test {
protected:
    AtomicFiles()
    {
        std::string name = (fs::temp_directory_path() / "ipcscope.XXXXXX").string();
        folder_ = ::mkdtemp(name.data());
        path_ = folder_ / "out";
    }
    ~AtomicFiles() override { fs::remove_all(folder_); }

    std::string content() const
    {
        std::ifstream in(path_);
        return {std::istreambuf_iterator<char>(in), {}};
    }
    std::size_t files() const
    {
        return static_cast<std::size_t>(std::distance(fs::directory_iterator(folder_), {}));
    }

    fs::path folder_;
    std::string path_;
};

TEST_F(AtomicFiles, HasItsNameAtTheEnd)
{
    std::ofstream(path_) << "old";
    auto file = AtomicFile::create(path_, 0644);
    ASSERT_TRUE(file);
    ASSERT_TRUE(file->write("new"));
    EXPECT_EQ(content(), "old");
    EXPECT_EQ(files(), 2u);
    ASSERT_TRUE(file->commit());
    EXPECT_EQ(content(), "new");
    EXPECT_EQ(files(), 1u);
    struct stat status {};
    const mode_t mask = ::umask(022);
    ::umask(mask);
    ASSERT_EQ(::stat(path_.c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777, 0644u & ~mask);
}

TEST_F(AtomicFiles, LeavesNothingUncommitted)
{
    {
        auto file = AtomicFile::create(path_, 0600);
        ASSERT_TRUE(file);
        ASSERT_TRUE(file->write("part"));
    }
    EXPECT_EQ(files(), 0u);
}

TEST_F(AtomicFiles, FullDiskIsOneLine)
{
    auto file = AtomicFile::create("/dev/full", 0600);
    ASSERT_TRUE(file);
    const auto wrote = file->write("x");
    ASSERT_FALSE(wrote);
    EXPECT_EQ(wrote.error().code, Exit::input);
    EXPECT_EQ(wrote.error().message,
              "cannot write /dev/full: No space left on device: free space, or choose another "
              "filesystem");
}

TEST_F(AtomicFiles, LimitKeepsTheOldFile)
{
    std::ofstream(path_) << "old";
    std::signal(SIGXFSZ, SIG_IGN);
    rlimit before{};
    ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &before), 0);
    const rlimit small{4, before.rlim_max};
    {
        auto file = AtomicFile::create(path_, 0600);
        ASSERT_TRUE(file);
        ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
        const auto wrote = file->write("longer");
        ::setrlimit(RLIMIT_FSIZE, &before);
        ASSERT_FALSE(wrote);
    }
    EXPECT_EQ(content(), "old");
    EXPECT_EQ(files(), 1u);
}

TEST_F(AtomicFiles, ClosedPipeSaysNothing)
{
    std::signal(SIGPIPE, SIG_IGN);
    ASSERT_EQ(::mkfifo(path_.c_str(), 0600), 0);
    const Fd reader{::open(path_.c_str(), O_RDONLY | O_NONBLOCK)};
    auto file = AtomicFile::create(path_, 0600);
    ASSERT_TRUE(file);
    EXPECT_FALSE(file->is_renamed());
    Fd(std::move(const_cast<Fd&>(reader))).reset();
    const auto wrote = file->write("x");
    ASSERT_FALSE(wrote);
    EXPECT_EQ(wrote.error().message, "");
    EXPECT_EQ(wrote.error().code, kClosedPipe);
}

TEST_F(AtomicFiles, RefusesWhatItCannotReplace)
{
    const auto why = [](const std::string& path) {
        const auto file = AtomicFile::create(path, 0600);
        return file ? "" : file.error().message.substr(file.error().message.rfind(": "));
    };
    EXPECT_EQ(why(folder_.string()), ": name a file in it");
    EXPECT_EQ(why((folder_ / "none" / "out").string()), ": make its folder first");
    fs::create_symlink("elsewhere", path_);
    EXPECT_EQ(why(path_), ": name the file that the link is to");
}

}  // namespace
}  // namespace ipcscope
