#include "engine/relay/memory_return.hh"

#include <algorithm>
#include <utility>

#include "sys/clock.hh"
#include "sys/free_memory.hh"

namespace amt {

bool Exodus::is_over(std::size_t count) {
  constexpr std::size_t kFew = kMany / 16;
  const bool goes_on = count + kFew < last_;
  last_ = count;
  peak_ = std::max(peak_, count);
  if (goes_on || peak_ - count < kMany) return false;
  peak_ = count;
  return true;
}

MemoryReturn::MemoryReturn(Loop& loop, std::function<std::size_t()> count)
    : count_(std::move(count)), timer_(loop, [this] { check(); }) {
  timer_.set(monotonic_now() + kInterval);
}

void MemoryReturn::check() {
  if (exodus_.is_over(count_())) return_free_memory();
  timer_.set(monotonic_now() + kInterval);
}

}  // namespace amt
