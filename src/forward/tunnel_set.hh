#pragma once
/// A set of tunnels that is walked once a packet and changed now and then.

#include <algorithm>
#include <cstdint>
#include <memory>
#include <span>
#include <utility>

#include "base/assert.hh"
#include "base/linear_probing.hh"

namespace amt {

/// Index of a tunnel in its relay's table.
enum class TunnelId : std::uint32_t {};
inline constexpr TunnelId kNoTunnel{0xffffffff};

/// The members of a `TunnelSet`, with free slots among them. Valid until the set changes.
class TunnelSlots {
 public:
  TunnelSlots() = default;
  TunnelSlots(std::span<const TunnelId> slots, std::size_t members) : slots_(slots), members_(members) {}

  [[nodiscard]] std::size_t size() const { return members_; }
  [[nodiscard]] bool empty() const { return members_ == 0; }

  [[nodiscard]] bool contains(TunnelId id) const {
    std::size_t at = home_slot(hash_of(id), slots_.size());
    for (std::size_t looked_at = 0; looked_at < slots_.size() && slots_[at] != kNoTunnel; ++looked_at) {
      if (slots_[at] == id) return true;
      at = slot_after(at, slots_.size());
    }
    return false;
  }

  /// What a walk counts in: slots, free ones too.
  [[nodiscard]] std::span<const TunnelId> slots() const { return slots_; }

  /// Ids are the relay's own choice, and it takes them in order: multiples of the golden ratio are spread evenly.
  static std::uint32_t hash_of(TunnelId id) { return static_cast<std::uint32_t>(id) * 0x9e3779b1U; }

 private:
  std::span<const TunnelId> slots_;
  std::size_t members_ = 0;
};

/// Sixteen octets with one member in place; more stand in a hash table of bare ids, five to eleven octets each, and
/// that is what a walk reads. Adding, removing and finding cost a constant, whatever the size.
class TunnelSet {
 public:
  [[nodiscard]] TunnelSlots members() const {
    if (slots_ == nullptr) return {{&only_, size_}, size_};
    return {{slots_.get(), capacity()}, size_};
  }
  [[nodiscard]] bool empty() const { return size_ == 0; }
  [[nodiscard]] std::size_t size() const { return size_; }

  /// `id` is not a member yet.
  void add(TunnelId id) {
    if (size_ == 0) {
      only_ = id;
    } else {
      if (4 * (std::size_t{size_} + 1) > 3 * capacity()) resize(std::max(kLog2CapacityMin, log2_capacity_ + 1U));
      place(id);
    }
    ++size_;
  }

  /// `id` is a member.
  void remove(TunnelId id) {
    if (slots_ == nullptr) {
      AMT_ASSERT(size_ == 1 && only_ == id);
      size_ = 0;
      return;
    }
    std::size_t at = home_slot(TunnelSlots::hash_of(id), capacity());
    while (slots_[at] != id) {
      AMT_ASSERT(slots_[at] != kNoTunnel);
      at = slot_after(at, capacity());
    }
    close_gap(table(), at, TunnelSlots::hash_of, is_free, [](TunnelId& slot) { slot = kNoTunnel; });
    --size_;
    // A quarter of what would make it grow: a set that wavers is not built anew all the time.
    if (16 * std::size_t{size_} < 3 * capacity()) resize(log2_capacity_ - 1U);
  }

 private:
  static constexpr std::uint32_t kLog2CapacityMin = 2;

  static bool is_free(TunnelId id) { return id == kNoTunnel; }
  [[nodiscard]] std::size_t capacity() const { return slots_ == nullptr ? 0 : std::size_t{1} << log2_capacity_; }
  [[nodiscard]] std::span<TunnelId> table() { return {slots_.get(), capacity()}; }
  void place(TunnelId id) { slots_[free_slot<TunnelId>(table(), TunnelSlots::hash_of(id), is_free)] = id; }

  /// Below the least capacity: one in place.
  void resize(std::uint32_t log2_capacity) {
    const std::size_t held = capacity();
    const std::unique_ptr<TunnelId[]> old = std::move(slots_);
    const auto keep = [&](TunnelId id) {
      if (slots_ == nullptr) {
        only_ = id;
      } else {
        place(id);
      }
    };
    if (log2_capacity >= kLog2CapacityMin) {
      slots_ = std::make_unique_for_overwrite<TunnelId[]>(std::size_t{1} << log2_capacity);
      log2_capacity_ = log2_capacity & 31U;
      std::ranges::fill(table(), kNoTunnel);
    }
    if (old == nullptr && size_ == 1) keep(only_);
    for (const TunnelId id : std::span(old.get(), held)) {
      if (!is_free(id)) keep(id);
    }
  }

  std::uint32_t size_ : 27 = 0;
  std::uint32_t log2_capacity_ : 5 = 0;
  /// Where there is no table.
  TunnelId only_{};
  std::unique_ptr<TunnelId[]> slots_;
};

}  // namespace amt
