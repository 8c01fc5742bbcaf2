// SPDX-License-Identifier: GPL-2.0-only
// The kernel's types that the programs read, for libbpf to find their fields in.
#pragma once

#include <string>

#include "base/fd.hpp"

struct btf;

namespace ipcscope::source::bpf {

/// libbpf searches all of the kernel's BTF for each type that a program reads; and where
/// there is none of the name, that of each module.  This is a file of its own that has
/// these types, and what is embedded in them, only: a pointer points to nothing, for no
/// relocation follows one.
class CoreTypes {
public:
    CoreTypes();

    /// To open the object with; nullptr where there can be no such file: libbpf reads the
    /// kernel's BTF then.  The file has to exist until the object is loaded.
    const char* path() const { return path_.empty() ? nullptr : path_.c_str(); }

    /// Before the object is loaded: the types of `kernel` that are named as those of
    /// `object`.  False: errno says why.
    bool fill(const ::btf& kernel, const ::btf& object) const;

private:
    Fd file_;
    std::string path_;
};

}  // namespace ipcscope::source::bpf
