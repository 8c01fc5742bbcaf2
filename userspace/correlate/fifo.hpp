// SPDX-License-Identifier: GPL-2.0-only
// First in, first out: in one piece of memory, and none while it is empty.
#pragma once

#include <cstddef>
#include <iterator>
#include <utility>
#include <vector>

namespace ipcscope::correlate {

template <typename T>
class Fifo {
public:
    void push_back(T value) { items_.push_back(std::move(value)); }
    void pop_front()
    {
        if (++first_ == items_.size()) {
            items_.clear();
            first_ = 0;
        } else if (first_ * 2 > items_.size() && first_ >= kWorthMoving) {
            items_.erase(items_.begin(), begin());
            first_ = 0;
        }
    }

    auto begin() { return items_.begin() + static_cast<std::ptrdiff_t>(first_); }
    auto end() { return items_.end(); }
    auto begin() const { return items_.begin() + static_cast<std::ptrdiff_t>(first_); }
    auto end() const { return items_.end(); }
    auto rbegin() { return items_.rbegin(); }
    auto rend() { return std::make_reverse_iterator(begin()); }
    auto rbegin() const { return items_.rbegin(); }
    auto rend() const { return std::make_reverse_iterator(begin()); }
    auto erase(typename std::vector<T>::iterator at) { return items_.erase(at); }
    auto erase(typename std::vector<T>::iterator from, typename std::vector<T>::iterator to)
    {
        return items_.erase(from, to);
    }

    T& front() { return items_[first_]; }
    const T& front() const { return items_[first_]; }
    const T& operator[](std::size_t at) const { return items_[first_ + at]; }
    std::size_t size() const { return items_.size() - first_; }
    bool empty() const { return first_ == items_.size(); }

private:
    static constexpr std::size_t kWorthMoving = 16;

    std::vector<T> items_;
    std::size_t first_ = 0;   ///< those before it have gone
};

}  // namespace ipcscope::correlate
