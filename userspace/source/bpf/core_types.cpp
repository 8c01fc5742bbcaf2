// SPDX-License-Identifier: GPL-2.0-only
#include "source/bpf/core_types.hpp"

#include <cerrno>
#include <memory>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

#include <sys/mman.h>
#include <unistd.h>

#include <bpf/btf.h>
#include <fmt/format.h>

namespace ipcscope::source::bpf {
namespace {

using Names = std::unordered_set<std::string_view>;

bool may_be_read(const btf_type* type)
{
    return btf_is_composite(type) || btf_is_any_enum(type) || btf_is_typedef(type);
}

/// What comes after ___ is of the object only.
Names names_of(const ::btf& object)
{
    Names names;
    for (__u32 id = 1; id < btf__type_cnt(&object); ++id) {
        const btf_type* type = btf__type_by_id(&object, id);
        const std::string_view name = btf__name_by_offset(&object, type->name_off);
        if (may_be_read(type) && !name.empty()) {
            names.insert(name.substr(0, name.find("___")));
        }
    }
    return names;
}

/// Types of one BTF, copied into another with new ids.
class Copies {
public:
    Copies(const ::btf& from, ::btf& to) : from_(from), to_(to) {}

    /// What a type is made of comes before it: without pointers there is no cycle.
    /// @return its id; negative: -errno
    int copy(__u32 id)
    {
        if (id == 0) {
            return 0;
        }
        if (const auto known = ids_.find(id); known != ids_.end()) {
            return known->second;
        }
        const int made = add(*btf__type_by_id(&from_, id));
        ids_.emplace(id, made);
        return made;
    }

private:
    int add(const btf_type& type)
    {
        bool good = true;
        visit_parts(type, [&](const __u32& part) { good = good && copy(part) >= 0; });
        const int id = good ? btf__add_type(&to_, &from_, &type) : -ENOMEM;
        if (id > 0) {
            auto& made = const_cast<btf_type&>(*btf__type_by_id(&to_, static_cast<__u32>(id)));
            visit_parts(made, [&](__u32& part) { part = static_cast<__u32>(copy(part)); });
            if (btf_is_ptr(&made)) {
                made.type = 0;
            }
        }
        return id;
    }

    /// Calls `visit` with the id of each type that is a part of it.
    template <typename Type, typename Visit>
    static void visit_parts(Type& type, const Visit& visit)
    {
        if (btf_is_composite(&type)) {
            for (int i = 0; i < btf_vlen(&type); ++i) {
                visit(btf_members(&type)[i].type);
            }
        } else if (btf_is_array(&type)) {
            visit(btf_array(&type)->type);
            visit(btf_array(&type)->index_type);
        } else if (btf_is_mod(&type) || btf_is_typedef(&type)) {
            visit(type.type);
        }
    }

    const ::btf& from_;
    ::btf& to_;
    std::unordered_map<__u32, int> ids_;
};

bool write_all(int fd, const void* data, std::size_t size)
{
    return ::pwrite(fd, data, size, 0) == static_cast<ssize_t>(size);
}

}  // namespace

CoreTypes::CoreTypes() : file_(::memfd_create("btf", MFD_CLOEXEC))
{
    if (file_) {
        path_ = fmt::format("/proc/self/fd/{}", file_.get());
    }
}

bool CoreTypes::fill(const ::btf& kernel, const ::btf& object) const
{
    if (!file_) {
        return true;
    }
    const std::unique_ptr<::btf, decltype(&btf__free)> made(btf__new_empty(), btf__free);
    if (!made) {
        return false;
    }
    const Names names = names_of(object);
    Copies copies(kernel, *made);
    for (__u32 id = 1; id < btf__type_cnt(&kernel); ++id) {
        const btf_type* type = btf__type_by_id(&kernel, id);
        if (may_be_read(type) && names.contains(btf__name_by_offset(&kernel, type->name_off)) &&
            copies.copy(id) < 0) {
            return false;
        }
    }
    __u32 size = 0;
    const void* data = btf__raw_data(made.get(), &size);
    return data != nullptr && write_all(file_.get(), data, size);
}

}  // namespace ipcscope::source::bpf
