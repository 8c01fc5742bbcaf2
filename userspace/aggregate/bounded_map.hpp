// SPDX-License-Identifier: GPL-2.0-only
// A table that cannot grow without limit.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <utility>
#include <vector>

namespace ipcscope::aggregate {

/// For keys of two or more numbers.
inline std::size_t mix(std::size_t seed, std::uint64_t value)
{
    return seed ^ (std::hash<std::uint64_t>{}(value) * 0x9e3779b97f4a7c15ull + (seed << 6) +
                   (seed >> 2));
}

/// Finds the elements of a list by their keys: open addressing, linear probing.
template <typename Key, typename List, typename Hash>
class ListIndex {
public:
    using Iterator = typename List::iterator;

    /// end: there is none.
    Iterator find(const Key& key, Iterator end) const
    {
        const std::size_t at = slots_.empty() ? 0 : slot_of(key, hash_of(key));
        return slots_.empty() || !slots_[at].used ? end : slots_[at].element;
    }

    /// Of a key that is not in it.
    void insert(Iterator element)
    {
        if ((size_ + 1) * 4 > slots_.size() * 3) {
            grow();
        }
        place(element);
        ++size_;
    }

    /// Of a key that is in it.
    void erase(const Key& key)
    {
        std::size_t hole = slot_of(key, hash_of(key));
        // Those behind it move up, but for one that would come before its own place.
        for (std::size_t at = next(hole); slots_[at].used; at = next(at)) {
            const std::size_t home = place_of(slots_[at].hash);
            if (((at - home) & mask()) >= ((at - hole) & mask())) {
                slots_[hole] = slots_[at];
                hole = at;
            }
        }
        slots_[hole] = {};
        --size_;
    }

private:
    struct Slot {
        Iterator element{};
        std::uint32_t hash = 0;
        bool used = false;
    };

    static std::uint32_t hash_of(const Key& key)
    {
        return static_cast<std::uint32_t>((Hash{}(key) * 0x9e3779b97f4a7c15ull) >> 32);
    }
    std::size_t mask() const { return slots_.size() - 1; }
    std::size_t next(std::size_t at) const { return (at + 1) & mask(); }
    std::size_t place_of(std::uint32_t hash) const { return hash & mask(); }

    /// The one of the key, or the free one where it would be.
    std::size_t slot_of(const Key& key, std::uint32_t hash) const
    {
        std::size_t at = place_of(hash);
        while (slots_[at].used &&
               (slots_[at].hash != hash || !(slots_[at].element->first == key))) {
            at = next(at);
        }
        return at;
    }

    void place(Iterator element)
    {
        const std::uint32_t hash = hash_of(element->first);
        std::size_t at = place_of(hash);
        while (slots_[at].used) {
            at = next(at);
        }
        slots_[at] = {element, hash, true};
    }

    void grow()
    {
        const std::vector<Slot> old =
            std::exchange(slots_, std::vector<Slot>(std::max<std::size_t>(4, slots_.size() * 2)));
        for (const Slot& slot : old) {
            if (slot.used) {
                place(slot.element);
            }
        }
    }

    std::vector<Slot> slots_;   ///< a power of two of them, a quarter free
    std::size_t size_ = 0;
};

/// At most `most` entries: a new one takes the place of the one that was not used
/// for the longest time.
template <typename Key, typename Value, typename Hash = std::hash<Key>>
class BoundedMap {
public:
    using Entry = std::pair<const Key, Value>;

    explicit BoundedMap(std::size_t most) : most_(most) {}
    BoundedMap(const BoundedMap&) = delete;
    BoundedMap& operator=(const BoundedMap&) = delete;

    /// The value of `key`, made where there is none.
    Value& use(const Key& key)
    {
        if (const auto found = index_.find(key, order_.end()); found != order_.end()) {
            if (found != order_.begin()) {
                order_.splice(order_.begin(), order_, found);
            }
            return found->second;
        }
        if (order_.size() >= most_) {
            index_.erase(order_.back().first);
            order_.pop_back();
            ++evicted_;
        }
        order_.emplace_front(std::piecewise_construct, std::forward_as_tuple(key),
                             std::forward_as_tuple());
        index_.insert(order_.begin());
        return order_.front().second;
    }

    const Value* find(const Key& key) const
    {
        return const_cast<BoundedMap&>(*this).find(key);
    }
    Value* find(const Key& key)
    {
        const auto found = index_.find(key, order_.end());
        return found == order_.end() ? nullptr : &found->second;
    }

    void erase(const Key& key)
    {
        const auto found = index_.find(key, order_.end());
        if (found == order_.end()) return;
        index_.erase(key);
        order_.erase(found);
    }

    /// The newest use first.
    auto begin() const { return order_.begin(); }
    auto end() const { return order_.end(); }
    std::size_t size() const { return order_.size(); }
    std::uint64_t evicted() const { return evicted_; }

private:
    std::size_t most_;
    std::list<Entry> order_;
    ListIndex<Key, std::list<Entry>, Hash> index_;
    std::uint64_t evicted_ = 0;
};

}  // namespace ipcscope::aggregate
