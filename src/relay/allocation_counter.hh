#pragma once
/// Counts the heap use of the test program while it exists (allocation_counter_test.cc replaces operator new).

#include <cstddef>

namespace amt::relay_test {

/// One at a time: the peak begins anew with each.
class AllocationCounter {
 public:
  AllocationCounter();
  /// Allocations since construction.
  [[nodiscard]] std::size_t calls() const;
  /// Octets in use now more than at construction, with the allocator's rounding.
  [[nodiscard]] std::size_t octets() const;
  /// The most that `octets` has been.
  [[nodiscard]] std::size_t peak() const;

 private:
  std::size_t calls_;
  std::size_t octets_;
};

}  // namespace amt::relay_test
