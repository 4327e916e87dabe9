#pragma once
/// Open addressing with linear probing, for tables that are arrays of small slots.
///
/// A slot's home follows from 32 bits of a hash, in their order: when a table grows, reading the old one from the front
/// fills the new one from the front, at the speed of memory. Nothing is marked as deleted: `close_gap` moves the slots
/// that follow.

#include <cstddef>
#include <cstdint>
#include <span>

namespace amt {

/// Where a slot with these hash bits belongs among `slots`.
[[nodiscard]] inline std::size_t home_slot(std::uint32_t hash, std::size_t slots) {
  return static_cast<std::size_t>(std::uint64_t{hash} * slots >> 32);
}

[[nodiscard]] inline std::size_t slot_after(std::size_t position, std::size_t slots) {
  return position + 1 == slots ? 0 : position + 1;
}

/// The first free slot for these hash bits; there is one.
template <typename Slot, typename IsFree>
[[nodiscard]] std::size_t free_slot(std::span<const Slot> slots, std::uint32_t hash, const IsFree& is_free) {
  std::size_t position = home_slot(hash, slots.size());
  while (!is_free(slots[position])) position = slot_after(position, slots.size());
  return position;
}

/// The slot at `gap` is to be freed: moves up the entries that would not be found any more, and frees the slot that is
/// left over by `make_free(slot)`. `hash_of(slot)`: the hash under which it was entered.
template <typename Slot, typename HashOf, typename IsFree, typename Free>
void close_gap(std::span<Slot> slots, std::size_t gap, const HashOf& hash_of, const IsFree& is_free,
               const Free& make_free) {
  const auto distance = [&](std::size_t from, std::size_t to) {
    return to >= from ? to - from : to + slots.size() - from;
  };
  for (std::size_t next = slot_after(gap, slots.size()); !is_free(slots[next]); next = slot_after(next, slots.size())) {
    const std::size_t home = home_slot(hash_of(slots[next]), slots.size());
    if (distance(home, next) < distance(gap, next)) continue;
    slots[gap] = slots[next];
    gap = next;
  }
  make_free(slots[gap]);
}

}  // namespace amt
