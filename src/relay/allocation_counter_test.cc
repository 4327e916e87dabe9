#include "relay/allocation_counter.hh"

#include <gtest/gtest.h>
#include <malloc.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <new>

namespace {
std::size_t g_calls = 0;
std::size_t g_octets = 0;
std::size_t g_peak = 0;

void* take(std::size_t size) {
  void* memory = std::malloc(size);
  if (memory == nullptr) std::abort();
  ++g_calls;
  g_octets += malloc_usable_size(memory) + sizeof(std::size_t);
  g_peak = std::max(g_peak, g_octets);
  return memory;
}
void give_back(void* memory) {
  if (memory != nullptr) g_octets -= malloc_usable_size(memory) + sizeof(std::size_t);
  std::free(memory);
}
}  // namespace

void* operator new(std::size_t size) { return take(size); }
void* operator new[](std::size_t size) { return take(size); }
// As std::stable_sort takes its buffer.
void* operator new(std::size_t size, const std::nothrow_t&) noexcept { return take(size); }
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept { return take(size); }
void operator delete(void* memory) noexcept { give_back(memory); }
void operator delete[](void* memory) noexcept { give_back(memory); }
void operator delete(void* memory, std::size_t) noexcept { give_back(memory); }
void operator delete[](void* memory, std::size_t) noexcept { give_back(memory); }

namespace amt::relay_test {

AllocationCounter::AllocationCounter() : calls_(g_calls), octets_(g_octets) { g_peak = g_octets; }
std::size_t AllocationCounter::calls() const { return g_calls - calls_; }
std::size_t AllocationCounter::octets() const { return g_octets - octets_; }
std::size_t AllocationCounter::peak() const { return g_peak - octets_; }

TEST(AllocationCounter, SeesWhatIsTakenAndGivenBack) {
  const AllocationCounter counter;
  auto memory = std::make_unique<char[]>(1000);
  EXPECT_EQ(counter.calls(), 1U);
  EXPECT_GE(counter.octets(), 1000U);
  memory.reset();
  EXPECT_EQ(counter.octets(), 0U);
  EXPECT_GE(counter.peak(), 1000U);
}

}  // namespace amt::relay_test
