// SPDX-License-Identifier: GPL-2.0-only
// What the keys of `ipcscope top` do.
#include <algorithm>
#include <cstdint>

#include "base/units.hpp"
#include "render/top.hpp"
#include "render/top_sheet.hpp"

namespace ipcscope::render {
namespace {

constexpr std::size_t kMostTyped = 40;

void show(TopState& state, std::size_t view)
{
    state.view = static_cast<TopView>(view % kTopViews);
}

void type(TopState& state, TopKey key)
{
    switch (key.kind) {
    case TopKey::Kind::letter:
        if (state.typed.size() < kMostTyped) {
            state.typed += key.letter;
        }
        return;
    case TopKey::Kind::erase:
        if (!state.typed.empty()) {
            state.typed.pop_back();
        }
        return;
    case TopKey::Kind::enter:
        state.filter = state.typed;
        state.first = {};
        break;
    case TopKey::Kind::escape: break;
    default: return;
    }
    state.typing = false;
}

void scroll(TopState& state, TopKey::Kind kind, std::size_t rows)
{
    std::size_t& first = state.first[index(state.view)];
    const std::size_t page = top_table_rows(rows);
    const auto back = [&](std::size_t by) { first -= std::min(first, by); };
    switch (kind) {
    case TopKey::Kind::up: back(1); break;
    case TopKey::Kind::down: first = plus(first, 1); break;
    case TopKey::Kind::page_up: back(page); break;
    case TopKey::Kind::page_down: first = plus(first, page); break;
    case TopKey::Kind::home: first = 0; break;
    case TopKey::Kind::end: first = SIZE_MAX; break;
    default: break;
    }
}

void next_sort(TopState& state)
{
    const auto view = index(state.view);
    state.sort[view] = (state.sort[view] + 1) % top_sorts(state.view).size();
    state.first[view] = 0;
}

/// False: the end.
bool command(TopState& state, char letter, std::size_t rows)
{
    switch (letter) {
    case 'q': return false;
    case 'h':
    case '?': state.help = true; break;
    case 's': next_sort(state); break;
    case 'r': state.reversed = !state.reversed; break;
    case 'f':
    case ' ': state.frozen = !state.frozen; break;
    case '/':
        state.typing = true;
        state.typed = state.filter;
        break;
    case 'k': scroll(state, TopKey::Kind::up, rows); break;
    case 'j': scroll(state, TopKey::Kind::down, rows); break;
    case 'g': scroll(state, TopKey::Kind::home, rows); break;
    case 'G': scroll(state, TopKey::Kind::end, rows); break;
    default:
        if (letter >= '1' && letter < '1' + static_cast<int>(kTopViews)) {
            show(state, static_cast<std::size_t>(letter - '1'));
        }
    }
    return true;
}

}  // namespace

bool press(TopState& state, TopKey key, std::size_t rows)
{
    if (state.typing) {
        type(state, key);
        return true;
    }
    if (state.help) {
        state.help = false;   // any key but the one that ends it
        return key.kind != TopKey::Kind::letter || key.letter != 'q';
    }
    const auto view = index(state.view);
    switch (key.kind) {
    case TopKey::Kind::letter: return command(state, key.letter, rows);
    case TopKey::Kind::next_view: show(state, view + 1); break;
    case TopKey::Kind::last_view: show(state, view + kTopViews - 1); break;
    case TopKey::Kind::escape:
        state.filter.clear();
        state.first = {};
        break;
    default: scroll(state, key.kind, rows);
    }
    return true;
}

}  // namespace ipcscope::render
