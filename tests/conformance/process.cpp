// SPDX-License-Identifier: GPL-2.0-only
#include "process.hpp"

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sstream>

#include <fcntl.h>
#include <linux/bpf.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <gtest/gtest.h>

namespace ipcscope::conformance {
namespace {

void sleep_ms(unsigned milliseconds)
{
    const timespec rest{milliseconds / 1000, (milliseconds % 1000) * 1'000'000L};
    nanosleep(&rest, nullptr);
}

std::string self_path()
{
    char path[4096] = {};
    const ssize_t size = readlink("/proc/self/exe", path, sizeof path - 1);
    return size > 0 ? path : "";
}

[[noreturn]] void become(const Words& words, const Settings& settings,
                         const std::string& out, const std::string& err)
{
    const int in_fd = open("/dev/null", O_RDONLY);
    const int out_fd = open(out.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0666);
    const int err_fd = open(err.c_str(), O_WRONLY | O_CREAT | O_TRUNC, 0666);
    if (dup2(in_fd, 0) < 0 || dup2(out_fd, 1) < 0 || dup2(err_fd, 2) < 0) {
        _exit(120);
    }
    closefrom(3);
    if (!settings.facts.empty()) {
        setenv("IPCSCOPE_FACTS", settings.facts.c_str(), 1);
    }
    if (settings.uid != 0 && setuid(settings.uid) != 0) {
        _exit(121);
    }
    std::vector<char*> argv;
    for (const std::string& word : words) {
        argv.push_back(const_cast<char*>(word.c_str()));
    }
    argv.push_back(nullptr);
    execvp(argv[0], argv.data());
    _exit(122);
}

}  // namespace

std::string scratch()
{
    static const std::string root = [] {
        char path[] = "/tmp/conformance.XXXXXX";
        return std::string(mkdtemp(path) ? path : "/nonexistent");
    }();
    static unsigned next = 0;
    const std::string path = root + '/' + std::to_string(next++);
    mkdir(path.c_str(), 0755);
    chmod(root.c_str(), 0755);
    return path;
}

std::string read_file(const std::string& path)
{
    std::ifstream file(path, std::ios::binary);
    std::ostringstream text;
    text << file.rdbuf();
    return text.str();
}

std::string ipcscope_path()
{
    if (const char* path = std::getenv("IPCSCOPE")) {
        return path;
    }
    const std::string self = self_path();
    return self.substr(0, self.rfind('/')) + "/ipcscope";
}

Words ipcscope_words(const Words& arguments)
{
    Words words{ipcscope_path()};
    words.insert(words.end(), arguments.begin(), arguments.end());
    const char* backend = std::getenv("IPCSCOPE_BACKEND");
    if (backend && *backend && !arguments.empty() &&
        (arguments[0] == "record" || arguments[0] == "trace" || arguments[0] == "stat")) {
        words.insert(words.begin() + 2, {"--backend", backend});
    }
    return words;
}

Words workload_words(const std::string& workload, const Words& arguments)
{
    Words words{self_path(), "--workload", workload};
    words.insert(words.end(), arguments.begin(), arguments.end());
    return words;
}

Process::Process(const Words& words, const Settings& settings) : directory_(scratch())
{
    out_ = settings.out.empty() ? directory_ + "/out" : settings.out;
    pid_ = fork();
    if (pid_ == 0) {
        chmod(directory_.c_str(), 0777);
        become(words, settings, out_, directory_ + "/err");
    }
}

Process::~Process()
{
    if (!ended_ && pid_ > 0) {
        kill(pid_, SIGKILL);
        waitpid(pid_, nullptr, 0);
    }
}

void Process::signal(int number) const
{
    kill(pid_, number);
}

void Process::reaped(int status)
{
    ended_ = true;
    finished_.status = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
    // /dev/full and the like have nothing to read.
    finished_.out = out_.starts_with(directory_) ? read_file(out_) : "";
    finished_.err = read_file(directory_ + "/err");
}

bool Process::running()
{
    int status = 0;
    if (!ended_ && waitpid(pid_, &status, WNOHANG) == pid_) {
        reaped(status);
    }
    return !ended_;
}

const Finished& Process::wait(unsigned seconds)
{
    for (unsigned tries = 0; running(); tries++) {
        if (tries > seconds * 50) {
            ADD_FAILURE() << "process " << pid_ << " did not end in " << seconds << " s";
            kill(pid_, SIGKILL);
        }
        sleep_ms(20);
    }
    return finished_;
}

std::uint64_t Process::rss_kib() const
{
    std::ifstream file("/proc/" + std::to_string(pid_) + "/status");
    std::string word;
    while (file >> word) {
        if (word == "VmRSS:") {
            std::uint64_t kib = 0;
            file >> kib;
            return kib;
        }
    }
    return 0;
}

Finished ipcscope(const Words& arguments, const Settings& settings)
{
    Process process(ipcscope_words(arguments), settings);
    return process.wait();
}

namespace {

bool by_module()
{
    const char* backend = std::getenv("IPCSCOPE_BACKEND");
    return backend && std::strcmp(backend, "kmod") == 0;
}

/// Readers of the module, and the functions that it has hooked.
unsigned module_holds()
{
    std::ifstream refcount("/sys/module/ipcscope/refcnt");
    std::ifstream probes("/sys/kernel/debug/kprobes/list");
    unsigned count = 0;
    EXPECT_TRUE(refcount >> count) << "the module is not loaded";
    EXPECT_TRUE(probes.is_open()) << "debugfs is not mounted";
    for (std::string line; std::getline(probes, line);) {
        count++;
    }
    return count;
}

}  // namespace

unsigned loaded_programs()
{
    if (by_module()) {
        return module_holds();
    }
    bpf_attr attr{};
    unsigned count = 0;
    while (syscall(SYS_bpf, BPF_PROG_GET_NEXT_ID, &attr, sizeof attr) == 0) {
        attr.start_id = attr.next_id;
        count++;
    }
    return count;
}

bool nothing_attached(unsigned before)
{
    for (int tries = 0; tries < 200; tries++) {
        if (loaded_programs() <= before) {
            return true;
        }
        sleep_ms(50);
    }
    return false;
}

}  // namespace ipcscope::conformance
