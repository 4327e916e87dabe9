#pragma once
/// A hash for tables whose keys an outsider chooses: without the key an outsider cannot aim at one bucket.

#include <cstdint>

#include "amt/channel.hh"
#include "amt/endpoint.hh"
#include "base/random.hh"

namespace amt {

/// Folded 64x64-bit multiplication under a random key. Fast (a handful of multiplications), good enough to keep tables
/// flat; it authenticates nothing (for that: relay/response_mac.hh).
class KeyedHash {
 public:
  /// The whole hash is well mixed: boost::unordered need not mix it again.
  using is_avalanching = void;

  /// A fixed key, for tables that only their owner fills.
  KeyedHash() = default;
  explicit KeyedHash(Random& random) : key_{random.u64() | 1, random.u64(), random.u64() | 1} {}

  std::size_t operator()(const IpAddress& address) const { return finish(add(key_[0], address)); }
  std::size_t operator()(const Endpoint& endpoint) const {
    return finish(fold(add(key_[0], endpoint.address) ^ endpoint.port, key_[2]));
  }
  std::size_t operator()(const IpAddress& source, const IpAddress& group) const {
    return finish(add(add(key_[0], source), group));
  }
  std::size_t operator()(std::uint64_t value) const { return finish(fold(value ^ key_[1], key_[0])); }

  /// See base/state_record.hh: the key, where what was hashed is kept, too.
  template <typename Io, typename Self>
  static void fields(Io& io, Self& self) {
    io(self.key_[0], self.key_[1], self.key_[2]);
  }

 private:
  __extension__ using Wide = unsigned __int128;

  /// Both halves of the product, so that every bit of both factors reaches every part of the result.
  static std::uint64_t fold(std::uint64_t a, std::uint64_t b) {
    const Wide product = static_cast<Wide>(a) * b;
    return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
  }
  static std::uint64_t word(const IpAddress& address, std::size_t first) {
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < 8; ++i) {
      value = value << 8 | std::to_integer<std::uint64_t>(address.mapped_octets()[first + i]);
    }
    return value;
  }
  std::uint64_t add(std::uint64_t state, const IpAddress& address) const {
    return fold(state ^ word(address, 0), key_[2]) + fold(word(address, 8) ^ key_[1], state | 1);
  }
  std::size_t finish(std::uint64_t state) const { return static_cast<std::size_t>(fold(state ^ key_[1], kMultiplier)); }

  /// 2^64 divided by the golden ratio: odd, no pattern in its bits.
  static constexpr std::uint64_t kMultiplier = 0x9e3779b97f4a7c15U;
  std::uint64_t key_[3] = {0x2545f4914f6cdd1dU, 0xd1b54a32d192ed03U, 0x8cb92ba72f3d8dd7U};
};

}  // namespace amt
