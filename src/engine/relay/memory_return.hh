#pragma once
/// After many tunnels have ended the system gets its memory back.

#include <cstddef>
#include <functional>

#include "engine/runtime/loop.hh"

namespace amt {

/// Tells when many have gone and no more are going. Pure.
class Exodus {
 public:
  /// What these had is worth a look through all free memory.
  static constexpr std::size_t kMany = 16'384;

  /// Takes how many there are, at regular intervals. True once for each exodus, when it is over.
  bool is_over(std::size_t count);

 private:
  std::size_t peak_ = 0;
  std::size_t last_ = 0;
};

/// The allocator keeps what is freed: of 100 MB nearly all, since something in use stands above it.
class MemoryReturn {
 public:
  static constexpr Duration kInterval = std::chrono::seconds(2);

  /// `count()`: how many tunnels and memberships there are.
  MemoryReturn(Loop& loop, std::function<std::size_t()> count);

 private:
  void check();

  std::function<std::size_t()> count_;
  Exodus exodus_;
  Timer timer_;
};

}  // namespace amt
