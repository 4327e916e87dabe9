#pragma once
/// Finds ids by keys that stand with the caller.

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <utility>

#include "base/assert.hh"
#include "base/linear_probing.hh"

namespace amt {

/// A hash table of ids alone: eight octets a slot, between half and three quarters of them taken while it grows, so 11
/// to 16 an id; and for the moment of growing, the old slots beside the new ones. A look-up reads one cache line and
/// the key of the entry that it finds. Each slot holds bits of its hash: growing looks at no key.
class IdIndex {
 public:
  /// Below this.
  static constexpr std::uint32_t kIdsMax = 0xffffffff;

  /// Room for this many ids without growing.
  void reserve(std::size_t ids) {
    slots_least_ = std::max(kSlotsMin, ids + ids / 3 + 1);
    if (slots_least_ > slots_count_) rebuild(slots_least_);
  }

  /// The id under `hash` of which `is_it(id)` is true.
  template <typename IsIt>
  [[nodiscard]] std::optional<std::uint32_t> find(std::uint64_t hash, const IsIt& is_it) const {
    if (size_ == 0) return std::nullopt;
    const std::uint32_t tag = tag_of(hash);
    for (std::size_t at = home_slot(tag, slots_count_); !is_free(slots_[at]); at = slot_after(at, slots_count_)) {
      if (slots_[at].tag == tag && is_it(slots_[at].id_plus_1 - 1)) return slots_[at].id_plus_1 - 1;
    }
    return std::nullopt;
  }

  /// `id` is not in it.
  void insert(std::uint64_t hash, std::uint32_t id) {
    AMT_ASSERT(id < kIdsMax);
    if (4 * (size_ + 1) > 3 * slots_count_) rebuild(std::max(slots_least_, slots_count_ + slots_count_ / 2));
    place({tag_of(hash), id + 1});
    ++size_;
  }

  /// `id` is in it, under `hash`.
  void erase(std::uint64_t hash, std::uint32_t id) {
    AMT_ASSERT(size_ != 0);
    std::size_t at = home_slot(tag_of(hash), slots_count_);
    while (slots_[at].id_plus_1 != id + 1) {
      AMT_ASSERT(!is_free(slots_[at]));
      at = slot_after(at, slots_count_);
    }
    close_gap(
        all(), at, [](const Slot& slot) { return slot.tag; }, is_free, [](Slot& slot) { slot = {}; });
    --size_;
    if (size_ < slots_count_ / kSparse && slots_count_ > 2 * slots_least_) rebuild(std::max(slots_least_, 2 * size_));
  }

  /// Prefetches the slot that `find` reads first.
  void prefetch(std::uint64_t hash) const {
    if (slots_count_ != 0) __builtin_prefetch(&slots_[home_slot(tag_of(hash), slots_count_)]);
  }
  /// The first id under `hash`, which is most often the result of `find`. Its key is not compared.
  [[nodiscard]] std::optional<std::uint32_t> guess(std::uint64_t hash) const {
    return find(hash, [](std::uint32_t) { return true; });
  }

  [[nodiscard]] std::size_t size() const { return size_; }
  /// Octets: `size()` times 11 to 64, or what was reserved.
  [[nodiscard]] std::size_t octets() const { return slots_count_ * sizeof(Slot); }

 private:
  struct Slot {
    std::uint32_t tag = 0;
    /// 0: free.
    std::uint32_t id_plus_1 = 0;
  };
  static constexpr std::size_t kSlotsMin = 8;
  /// With fewer taken than one of so many the table gives room back.
  static constexpr std::size_t kSparse = 8;

  static std::uint32_t tag_of(std::uint64_t hash) { return static_cast<std::uint32_t>(hash >> 32); }
  static bool is_free(const Slot& slot) { return slot.id_plus_1 == 0; }
  [[nodiscard]] std::span<Slot> all() { return {slots_.get(), slots_count_}; }

  void place(const Slot& slot) { slots_[free_slot<Slot>(all(), slot.tag, is_free)] = slot; }

  void rebuild(std::size_t slots) {
    const std::unique_ptr<Slot[]> old = std::exchange(slots_, std::make_unique<Slot[]>(slots));
    const std::span<const Slot> held(old.get(), std::exchange(slots_count_, slots));
    for (const Slot& slot : held) {
      if (!is_free(slot)) place(slot);
    }
  }

  std::unique_ptr<Slot[]> slots_;
  std::size_t slots_count_ = 0;
  std::size_t slots_least_ = kSlotsMin;
  std::size_t size_ = 0;
};

}  // namespace amt
