#pragma once
/// The next thing to do among many tunnels.

#include <cstdint>
#include <vector>

#include "amt/time.hh"
#include "forward/tunnel_set.hh"

namespace amt {

/// A binary heap with exactly one deadline for each tunnel in it, found by the tunnel's id: no stale entries at any
/// rate of change. `set` and `remove` cost log n.
class DeadlineHeap {
 public:
  /// With room for so many from the start; it grows beyond.
  explicit DeadlineHeap(std::size_t tunnels = 0) {
    heap_.reserve(tunnels);
    position_.reserve(tunnels);
  }

  /// Adds `id` or moves it.
  void set(TunnelId id, Instant at);
  void remove(TunnelId id);
  void clear() {
    heap_.clear();
    position_.clear();
  }

  [[nodiscard]] bool empty() const { return heap_.empty(); }
  [[nodiscard]] std::size_t size() const { return heap_.size(); }
  /// The earliest; `kNoDeadline` when empty.
  [[nodiscard]] Instant next() const { return heap_.empty() ? kNoDeadline : heap_.front().at; }
  [[nodiscard]] TunnelId next_id() const { return heap_.front().id; }
  /// When `id`, which is in the heap, is due.
  [[nodiscard]] Instant of(TunnelId id) const { return heap_[position_[static_cast<std::size_t>(id)]].at; }

 private:
  struct Entry {
    Instant at;
    TunnelId id{};
  };
  static constexpr std::uint32_t kAbsent = 0xffffffff;

  void place(std::size_t position, const Entry& entry);
  void sift_up(std::size_t position);
  void sift_down(std::size_t position);

  std::vector<Entry> heap_;
  /// By tunnel id.
  std::vector<std::uint32_t> position_;
};

}  // namespace amt
