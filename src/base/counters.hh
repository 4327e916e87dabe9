#pragma once
/// The one way to count: an array indexed by an enumeration whose last member is `kCount`.
/// The enumeration's room defines `const CounterInfo& counter_info(E)`, from a `CounterTable`.

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/counter_table.hh"

namespace amt {

/// The name that a user sees in status and metrics.
template <typename E>
requires requires(E which) { counter_info(which); }
[[nodiscard]] std::string_view counter_name(E which) { return counter_info(which).name; }

/// One number that one thread changes and any thread may read, at any time, without a lock. Costs as much as a plain
/// number: a load and a store, with no lock prefix. Copying and assigning are the writer's.
class Count {
 public:
  Count() = default;
  explicit Count(std::uint64_t value) : value_(value) {}
  Count(const Count& other) : value_(other.value()) {}
  Count& operator=(const Count& other) {
    set(other.value());
    return *this;
  }
  ~Count() = default;

  void add(std::uint64_t amount = 1) { set(value() + amount); }
  void subtract(std::uint64_t amount = 1) { set(value() - amount); }
  void set(std::uint64_t value) { value_.store(value, std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_ = 0;
};

/// One thread counts, any may read. A reader sees each counter at a moment of its own.
template <typename E>
class Counters {
 public:
  static constexpr std::size_t kSize = static_cast<std::size_t>(E::kCount);

  void add(E which, std::uint64_t amount = 1) { values_[static_cast<std::size_t>(which)].add(amount); }
  void add_all(const Counters& others) {
    for (std::size_t i = 0; i < kSize; ++i) values_[i].add(others.values_[i].value());
  }
  [[nodiscard]] std::uint64_t operator[](E which) const { return values_[static_cast<std::size_t>(which)].value(); }

  /// Calls `f(name, value)` for every counter, also those that are zero.
  template <typename F>
  void for_each(F&& f) const {
    for (std::size_t i = 0; i < kSize; ++i) f(counter_name(static_cast<E>(i)), values_[i].value());
  }

 private:
  std::array<Count, kSize> values_{};
};

}  // namespace amt
