#pragma once
/// Which Requests and Discoveries were refused in the last seconds.

#include <array>
#include <cstdint>
#include <vector>

#include "amt/time.hh"

namespace amt {

/// Knows a Request that was refused before and is sent again, by a tag of its endpoint and nonce. RFC 7450 §5.2.3.5.3:
/// "The same nonce SHOULD be used when retransmitting a Request message", and §5.2.3.4.5 for Discoveries. A forger who
/// invents ports and nonces sends none twice.
///
/// One Bloom filter for each second. It knows refusals of an earlier second, for 4 s; a Request that is repeated at
/// once is not known. With filters of 2^21 bits it takes one in a hundred thousand for known by mistake where 20 000 a
/// second are refused, and one in forty where 150 000 are. The filters are taken as refusals come, 1.25 MB of that
/// size. Not thread-safe.
class RefusedAsks {
 public:
  /// Of each filter: 64 to 2^21, rounded up to words of 64.
  explicit RefusedAsks(std::size_t bits);
  static constexpr Duration kPeriod = std::chrono::seconds(1);

  void add(Instant now, std::uint64_t tag);
  /// Whether it was added in one of the earlier periods.
  [[nodiscard]] bool knows(Instant now, std::uint64_t tag);

 private:
  static constexpr std::size_t kPeriods = 5;
  static constexpr std::size_t kHashes = 3;
  static constexpr std::size_t kWordBits = 64;
  using Filter = std::vector<std::uint64_t>;

  /// Empties the filters of the periods that are over.
  void advance(Instant now);
  static bool contains(const Filter& filter, std::uint64_t tag);
  /// Where a hash of `tag` stands in a filter.
  static std::size_t place_of(const Filter& filter, std::uint64_t tag, std::size_t hash);

  /// By number of the period, modulo their count; no storage until something is refused.
  std::array<Filter, kPeriods> filters_;
  std::size_t words_;
  std::int64_t period_ = 0;
};

}  // namespace amt
