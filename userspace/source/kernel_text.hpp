// SPDX-License-Identifier: GPL-2.0-only
// The functions of the kernel and its modules, by address.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ipcscope::source {

/// What /proc/kallsyms has of text.  Read as the first address is asked for, and again where
/// the modules are others since: it takes the kernel longer to print it than us to read it,
/// and the rings fill meanwhile.
class KernelText {
public:
    struct Function {
        std::uint64_t start = 0;
        std::string_view name;
        std::string_view module;   ///< empty: the kernel itself
    };

    /// Once before addresses are looked up.
    void refresh();
    /// That which begins last before the address; nullopt: none does.
    std::optional<Function> find(std::uint64_t address) const;

    /// Takes the text of a /proc/kallsyms.
    void parse(std::string_view text);

private:
    struct Entry {
        std::uint64_t start;
        std::uint32_t at;            ///< in names_
        std::uint16_t name_bytes;
        std::uint16_t module_bytes;  ///< behind the name
    };
    void add(std::string_view line);

    std::vector<Entry> entries_;     ///< by address
    std::string names_;
    std::string modules_;            ///< as they were when it was read
    bool read_ = false;
};

}  // namespace ipcscope::source
