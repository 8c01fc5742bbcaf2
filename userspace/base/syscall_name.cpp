// SPDX-License-Identifier: GPL-2.0-only
#include "base/syscall_name.hpp"

#include <algorithm>
#include <array>

#include <asm/unistd.h>

namespace ipcscope {
namespace {

struct Named {
    unsigned number;
    std::string_view name;
};
constexpr auto by_number()
{
    auto table = std::to_array<Named>({
#include "base/syscall_names.inc"
    });
    std::ranges::sort(table, {}, &Named::number);
    return table;
}
constexpr auto kNames = by_number();

}  // namespace

std::string_view syscall_name(unsigned number)
{
    const auto found = std::ranges::lower_bound(kNames, number, {}, &Named::number);
    return found != kNames.end() && found->number == number ? found->name : std::string_view();
}

}  // namespace ipcscope
