// SPDX-License-Identifier: GPL-2.0-only
#include "source/kernel_text.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <limits>

#include <fcntl.h>
#include <unistd.h>

#include "base/fd.hpp"

namespace ipcscope::source {
namespace {

/// All of a file of the kernel's, which has no size; what there is where it fails.
std::string read_all(const char* path)
{
    const Fd file(open(path, O_RDONLY | O_CLOEXEC));
    std::string text;
    std::array<char, 1u << 16> buffer;
    while (file.get() >= 0) {
        const ssize_t size = read(file.get(), buffer.data(), buffer.size());
        if (size < 0 && errno == EINTR) {
            continue;   // Ctrl-C ends the trace just then
        }
        if (size <= 0) {
            break;
        }
        text.append(buffer.data(), static_cast<std::size_t>(size));
    }
    return text;
}

/// Names and addresses: the count of users changes all the time.
std::string loaded_modules()
{
    const std::string text = read_all("/proc/modules");
    std::string names;
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t end = std::min(text.find('\n', at), text.size());
        const std::string_view line = std::string_view(text).substr(at, end - at);
        names += line.substr(0, line.find(' '));
        names += line.substr(std::min(line.find(" 0x"), line.size()));   // where it is
        names += '\n';
        at = end + 1;
    }
    return names;
}

}  // namespace

/// "ffffffff81000000 T name", or with "\t[module]" behind it.
void KernelText::add(std::string_view line)
{
    std::uint64_t start = 0;
    const char* const end = line.data() + line.size();
    const auto parsed = std::from_chars(line.data(), end, start, 16);
    const std::size_t digits = static_cast<std::size_t>(parsed.ptr - line.data());
    if (parsed.ec != std::errc() || start == 0 || line.size() < digits + 4 ||
        (line[digits + 1] | 0x20) != 't') {
        return;
    }
    std::string_view name = line.substr(digits + 3);
    std::string_view module;
    if (const std::size_t tab = name.find('\t'); tab != std::string_view::npos) {
        module = name.substr(tab + 1);
        name = name.substr(0, tab);
    }
    constexpr std::size_t kMost = std::numeric_limits<std::uint16_t>::max();
    if (name.size() > kMost || module.size() > kMost) {
        return;
    }
    entries_.push_back({start, static_cast<std::uint32_t>(names_.size()),
                        static_cast<std::uint16_t>(name.size()),
                        static_cast<std::uint16_t>(module.size())});
    names_ += name;
    names_ += module;
}

void KernelText::parse(std::string_view text)
{
    entries_.clear();
    names_.clear();
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        add(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    // It is not sorted across modules; of names for one address the last is kept.
    std::ranges::stable_sort(entries_, {}, &Entry::start);
    entries_.shrink_to_fit();
}

void KernelText::refresh()
{
    std::string modules = loaded_modules();
    if (read_ && modules == modules_) {
        return;
    }
    parse(read_all("/proc/kallsyms"));
    modules_ = std::move(modules);
    read_ = true;
}

std::optional<KernelText::Function> KernelText::find(std::uint64_t address) const
{
    const auto after = std::ranges::upper_bound(entries_, address, {}, &Entry::start);
    if (after == entries_.begin()) {
        return std::nullopt;
    }
    const Entry& entry = *std::prev(after);
    const std::string_view names = names_;
    return Function{entry.start, names.substr(entry.at, entry.name_bytes),
                    names.substr(entry.at + entry.name_bytes, entry.module_bytes)};
}

}  // namespace ipcscope::source
