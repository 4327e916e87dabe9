#include "base/random.hh"

#include <array>

#include "base/assert.hh"

namespace amt {

std::uint32_t Random::u32() { return static_cast<std::uint32_t>(u64() >> 32); }

std::uint64_t Random::u64() {
  std::array<std::byte, 8> octets{};
  fill(octets);
  std::uint64_t value = 0;
  for (const std::byte b : octets) value = value << 8 | std::to_integer<std::uint64_t>(b);
  return value;
}

std::uint64_t Random::below(std::uint64_t bound) {
  AMT_ASSERT(bound != 0);
  // Rejects the part of the range that would make small results likelier; at most half of it.
  const std::uint64_t reject_below = (0 - bound) % bound;
  for (;;) {
    const std::uint64_t value = u64();
    if (value >= reject_below) return value % bound;
  }
}

Duration Random::between(Duration low, Duration high) {
  AMT_ASSERT(low <= high);
  return low + Duration(static_cast<Duration::rep>(below(static_cast<std::uint64_t>((high - low).count()) + 1)));
}

void SeededRandom::fill(std::span<std::byte> out) {
  for (std::size_t i = 0; i < out.size();) {
    state_ += 0x9e3779b97f4a7c15U;
    std::uint64_t z = state_;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
    z ^= z >> 31;
    for (std::size_t k = 0; k < 8 && i < out.size(); ++k, ++i) out[i] = static_cast<std::byte>(z >> (8 * k) & 0xff);
  }
}

}  // namespace amt
