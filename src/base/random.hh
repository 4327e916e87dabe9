#pragma once
/// Where nonces, secrets and jitter come from. In production the operating system's generator (room `sys`),
/// in tests `SeededRandom`.

#include <cstddef>
#include <cstdint>
#include <span>

#include "amt/time.hh"

namespace amt {

class Random {
 public:
  Random() = default;
  Random(const Random&) = delete;
  Random& operator=(const Random&) = delete;
  virtual ~Random() = default;

  virtual void fill(std::span<std::byte> out) = 0;

  [[nodiscard]] std::uint32_t u32();
  [[nodiscard]] std::uint64_t u64();
  /// Uniform in [0, bound); `bound` is not 0.
  [[nodiscard]] std::uint64_t below(std::uint64_t bound);
  /// Uniform in [low, high].
  [[nodiscard]] Duration between(Duration low, Duration high);
};

/// Deterministic: the same seed gives the same octets on every platform (SplitMix64). Not for secrets.
class SeededRandom final : public Random {
 public:
  explicit SeededRandom(std::uint64_t seed) : state_(seed) {}
  void fill(std::span<std::byte> out) override;

 private:
  std::uint64_t state_;
};

}  // namespace amt
