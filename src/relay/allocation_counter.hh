#pragma once
/// Counts what the test program takes from the heap while it exists (allocation_counter_test.cc replaces operator new).

#include <cstddef>

namespace amt::relay_test {

class AllocationCounter {
 public:
  AllocationCounter();
  /// Allocations since construction.
  [[nodiscard]] std::size_t calls() const;
  /// Octets in use now more than at construction, with the allocator's rounding.
  [[nodiscard]] std::size_t octets() const;

 private:
  std::size_t calls_;
  std::size_t octets_;
};

}  // namespace amt::relay_test
