// SPDX-License-Identifier: GPL-2.0-only
// A hash table by number whose values lie in the table: one cache line for most finds.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

namespace ipcscope {

/// Open addressing, linear probing.  A value moves when another is added or erased.
template <typename Value>
class NumberMap {
public:
    /// nullptr: there is none.
    const Value* find(std::uint32_t key) const
    {
        if (slots_.empty()) {
            return nullptr;
        }
        const Slot& slot = slots_[slot_of(key)];
        return slot.used ? &slot.value : nullptr;
    }
    Value* find(std::uint32_t key)
    {
        return const_cast<Value*>(std::as_const(*this).find(key));
    }

    /// Made where there is none.
    Value& operator[](std::uint32_t key)
    {
        if ((size_ + 1) * 3 > slots_.size() * 2) {
            grow();
        }
        Slot& slot = slots_[slot_of(key)];
        if (!slot.used) {
            slot.key = key;
            slot.used = true;
            ++size_;
        }
        return slot.value;
    }

    /// False: there was none.
    bool erase(std::uint32_t key)
    {
        if (find(key) == nullptr) {
            return false;
        }
        std::size_t hole = slot_of(key);
        // Those behind it move up, but for one that would come before its own place.
        for (std::size_t at = next(hole); slots_[at].used; at = next(at)) {
            const std::size_t home = place_of(slots_[at].key);
            if (((at - home) & mask()) >= ((at - hole) & mask())) {
                slots_[hole] = std::move(slots_[at]);
                hole = at;
            }
        }
        slots_[hole] = Slot{};
        --size_;
        return true;
    }

    std::size_t size() const { return size_; }

private:
    struct Slot {
        Value value{};
        std::uint32_t key = 0;
        bool used = false;
    };

    std::size_t mask() const { return slots_.size() - 1; }
    std::size_t next(std::size_t at) const { return (at + 1) & mask(); }
    std::size_t place_of(std::uint32_t key) const
    {
        return (key * 0x9e3779b97f4a7c15ull >> 32) & mask();
    }

    /// The one of the key, or the free one where it would be.
    std::size_t slot_of(std::uint32_t key) const
    {
        std::size_t at = place_of(key);
        while (slots_[at].used && slots_[at].key != key) {
            at = next(at);
        }
        return at;
    }

    void grow()
    {
        std::vector<Slot> old(std::max<std::size_t>(8, slots_.size() * 2));
        old.swap(slots_);
        for (Slot& slot : old) {
            if (slot.used) {
                slots_[slot_of(slot.key)] = std::move(slot);
            }
        }
    }

    std::vector<Slot> slots_;   ///< a power of two of them, a third free
    std::size_t size_ = 0;
};

}  // namespace ipcscope
