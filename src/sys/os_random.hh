#pragma once
#include "base/random.hh"

namespace amt {

/// The operating system's generator, through libsodium. Thread-safe.
class OsRandom final : public Random {
 public:
  OsRandom();
  void fill(std::span<std::byte> out) override;
};

}  // namespace amt
