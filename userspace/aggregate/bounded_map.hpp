// SPDX-License-Identifier: GPL-2.0-only
// A table that cannot grow without limit.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <utility>
#include <vector>

namespace ipcscope::aggregate {

/// For keys of two or more numbers.
inline std::size_t mix(std::size_t seed, std::uint64_t value)
{
    return seed ^ (std::hash<std::uint64_t>{}(value) * 0x9e3779b97f4a7c15ull + (seed << 6) +
                   (seed >> 2));
}

/// Finds nodes by the keys of their entries: open addressing, linear probing.
template <typename Node, typename Key, typename Hash>
class NodeIndex {
public:
    /// nullptr: there is none.
    Node* find(const Key& key) const
    {
        return slots_.empty() ? nullptr : slots_[slot_of(key, hash_of(key))].node;
    }

    /// Of a key that is not in it.
    void insert(Node* node)
    {
        if ((size_ + 1) * 4 > slots_.size() * 3) {
            grow();
        }
        place(node, hash_of(node->entry.first));
        ++size_;
    }

    /// Of a key that is in it.
    void erase(const Key& key)
    {
        std::size_t hole = slot_of(key, hash_of(key));
        // Those behind it move up, but for one that would come before its own place.
        for (std::size_t at = next(hole); slots_[at].node != nullptr; at = next(at)) {
            const std::size_t home = slots_[at].hash & mask();
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
        Node* node = nullptr;
        std::uint32_t hash = 0;
    };

    static std::uint32_t hash_of(const Key& key)
    {
        return static_cast<std::uint32_t>((Hash{}(key) * 0x9e3779b97f4a7c15ull) >> 32);
    }
    std::size_t mask() const { return slots_.size() - 1; }
    std::size_t next(std::size_t at) const { return (at + 1) & mask(); }

    /// The one of the key, or the free one where it would be.
    std::size_t slot_of(const Key& key, std::uint32_t hash) const
    {
        std::size_t at = hash & mask();
        while (slots_[at].node != nullptr &&
               (slots_[at].hash != hash || !(slots_[at].node->entry.first == key))) {
            at = next(at);
        }
        return at;
    }

    void place(Node* node, std::uint32_t hash)
    {
        std::size_t at = hash & mask();
        while (slots_[at].node != nullptr) {
            at = next(at);
        }
        slots_[at] = {node, hash};
    }

    void grow()
    {
        const std::vector<Slot> old =
            std::exchange(slots_, std::vector<Slot>(std::max<std::size_t>(4, slots_.size() * 2)));
        for (const Slot& slot : old) {
            if (slot.node != nullptr) {
                place(slot.node, slot.hash);
            }
        }
    }

    std::vector<Slot> slots_;   ///< a power of two of them, a quarter free
    std::size_t size_ = 0;
};

/// At most `most` entries: a new one takes the place of the one that was not used
/// for the longest time.  A value stays where it is as long as it is in the table.
///
/// A use notes its time and no more: what was used when is put in order only where it
/// matters, as one is to go and as all are listed.
template <typename Key, typename Value, typename Hash = std::hash<Key>>
class BoundedMap {
public:
    using Entry = std::pair<const Key, Value>;

private:
    struct Node {
        explicit Node(const Key& key)
            : entry(std::piecewise_construct, std::forward_as_tuple(key), std::forward_as_tuple())
        {
        }
        std::uint64_t used = 0;   ///< when; no two are the same
        std::size_t place = 0;    ///< in nodes_
        Entry entry;
    };

public:
    /// Goes through all, the newest use first, as they were when it was made.
    class Iterator {
    public:
        explicit Iterator(std::size_t at, std::vector<const Node*> order = {})
            : order_(std::move(order)), at_(at)
        {
        }
        const Entry& operator*() const { return order_[at_]->entry; }
        Iterator& operator++()
        {
            ++at_;
            return *this;
        }
        bool operator!=(const Iterator& other) const { return at_ != other.at_; }

    private:
        std::vector<const Node*> order_;
        std::size_t at_;
    };

    explicit BoundedMap(std::size_t most) : most_(most) {}
    BoundedMap(const BoundedMap&) = delete;
    BoundedMap& operator=(const BoundedMap&) = delete;

    /// The value of `key`, made where there is none.
    Value& use(const Key& key)
    {
        if (last_ == nullptr || !(last_->entry.first == key)) {
            last_ = find_or_make(key);
        }
        last_->used = ++clock_;
        return last_->entry.second;
    }

    const Value* find(const Key& key) const
    {
        const Node* node = index_.find(key);
        return node == nullptr ? nullptr : &node->entry.second;
    }
    Value* find(const Key& key)
    {
        return const_cast<Value*>(std::as_const(*this).find(key));
    }

    void erase(const Key& key)
    {
        if (Node* node = index_.find(key)) {
            drop(*node);
        }
    }

    Iterator begin() const
    {
        std::vector<const Node*> order;
        order.reserve(size());
        for (const auto& node : nodes_) {
            order.push_back(node.get());
        }
        std::ranges::sort(order, std::greater{}, &Node::used);
        return Iterator(0, std::move(order));
    }
    Iterator end() const { return Iterator(size()); }

    /// Calls `visit(entry, used)` for all, in no order; of two the one with the greater
    /// `used` has been used later.
    template <typename Visit>
    void visit_all(const Visit& visit) const
    {
        for (const auto& node : nodes_) {
            visit(node->entry, node->used);
        }
    }

    std::size_t size() const { return nodes_.size(); }
    std::uint64_t evicted() const { return evicted_; }

private:
    /// When it was used at the latest, as far as the heap knows.
    struct Age {
        std::uint64_t used;
        Key key;
        /// The standard heap keeps the greatest in front; ours is the oldest.
        friend bool operator<(const Age& a, const Age& b) { return a.used > b.used; }
    };

    Node* find_or_make(const Key& key)
    {
        if (Node* node = index_.find(key)) {
            return node;
        }
        if (size() >= most_) {
            drop(*oldest());
            ++evicted_;
        }
        return make(key);
    }

    Node* make(const Key& key)
    {
        nodes_.push_back(std::make_unique<Node>(key));
        Node* node = nodes_.back().get();
        node->place = nodes_.size() - 1;
        index_.insert(node);
        if (!ages_.empty()) {
            push_age(clock_ + 1, key);
        }
        return node;
    }

    void drop(Node& node)
    {
        index_.erase(node.entry.first);
        last_ = nullptr;
        const std::size_t place = node.place;
        std::swap(nodes_[place], nodes_.back());
        nodes_[place]->place = place;
        nodes_.pop_back();
    }

    void push_age(std::uint64_t used, const Key& key)
    {
        ages_.push_back({used, key});
        std::push_heap(ages_.begin(), ages_.end());
    }

    /// What the heap holds was so once: the oldest that is still so is the oldest of all.
    Node* oldest()
    {
        for (;;) {
            if (ages_.empty() || ages_.size() > 2 * size() + 64) {
                ages_.clear();
                for (const auto& node : nodes_) {
                    ages_.push_back({node->used, node->entry.first});
                }
                std::make_heap(ages_.begin(), ages_.end());
            }
            std::pop_heap(ages_.begin(), ages_.end());
            const Age age = ages_.back();
            ages_.pop_back();
            Node* node = index_.find(age.key);
            if (node != nullptr && node->used == age.used) {
                return node;
            }
            if (node != nullptr) {
                push_age(node->used, age.key);
            }
        }
    }

    std::size_t most_;
    std::uint64_t clock_ = 0;
    std::uint64_t evicted_ = 0;
    std::vector<std::unique_ptr<Node>> nodes_;
    Node* last_ = nullptr;    ///< that was used last: the next use is often the same
    NodeIndex<Node, Key, Hash> index_;
    std::vector<Age> ages_;   ///< a heap, made as the first one is to go
};

}  // namespace ipcscope::aggregate
