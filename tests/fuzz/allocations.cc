#include "allocations.hh"

#include <malloc.h>

#include <cstdlib>
#include <new>

namespace {

std::size_t g_taken = 0;
std::size_t g_held = 0;

void* take(std::size_t size) {
  void* const memory = std::malloc(size);
  if (memory == nullptr) std::abort();
  g_taken += size;
  g_held += malloc_usable_size(memory);
  return memory;
}
void give_back(void* memory) {
  if (memory != nullptr) g_held -= malloc_usable_size(memory);
  std::free(memory);
}

}  // namespace

void* operator new(std::size_t size) { return take(size); }
void* operator new[](std::size_t size) { return take(size); }
void* operator new(std::size_t size, const std::nothrow_t&) noexcept { return take(size); }
void* operator new[](std::size_t size, const std::nothrow_t&) noexcept { return take(size); }
void operator delete(void* memory) noexcept { give_back(memory); }
void operator delete[](void* memory) noexcept { give_back(memory); }
void operator delete(void* memory, std::size_t) noexcept { give_back(memory); }
void operator delete[](void* memory, std::size_t) noexcept { give_back(memory); }

namespace amt::fuzz {

Allocations::Allocations() : taken_(g_taken), held_(g_held) {}
std::size_t Allocations::taken() const { return g_taken - taken_; }
std::size_t Allocations::held() const { return g_held - held_; }

}  // namespace amt::fuzz
