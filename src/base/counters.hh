#pragma once
/// The one way to count: an array indexed by an enumeration whose last member is `kCount`.
/// The enumeration's room defines `std::string_view counter_name(E)`: the name that a user sees in status and metrics.

#include <array>
#include <cstddef>
#include <cstdint>

namespace amt {

/// Not thread-safe: one worker owns one set; a reader asks the owner.
template <typename E>
class Counters {
 public:
  static constexpr std::size_t kSize = static_cast<std::size_t>(E::kCount);

  void add(E which, std::uint64_t amount = 1) { values_[static_cast<std::size_t>(which)] += amount; }
  [[nodiscard]] std::uint64_t operator[](E which) const { return values_[static_cast<std::size_t>(which)]; }

  /// Calls `f(name, value)` for every counter, also those that are zero.
  template <typename F>
  void for_each(F&& f) const {
    for (std::size_t i = 0; i < kSize; ++i) f(counter_name(static_cast<E>(i)), values_[i]);
  }

 private:
  std::array<std::uint64_t, kSize> values_{};
};

}  // namespace amt
