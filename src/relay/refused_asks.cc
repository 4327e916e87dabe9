#include "relay/refused_asks.hh"

#include <algorithm>

namespace amt {
namespace {

/// A tag's place for each hash: 21 of its bits each.
constexpr unsigned kPlaceBits = 21;
constexpr std::uint64_t place_of(std::uint64_t tag, std::size_t hash) {
  return tag >> (kPlaceBits * hash) & ((std::uint64_t{1} << kPlaceBits) - 1);
}

}  // namespace

void RefusedAsks::advance(Instant now) {
  static_assert(kBits == std::size_t{1} << kPlaceBits && kHashes * kPlaceBits < kWordBits);
  const std::int64_t period = now.time_since_epoch() / kPeriod;
  // The clocks of two workers may be a moment apart.
  if (period <= period_) return;
  const auto over = std::min<std::int64_t>(period - period_, kPeriods);
  for (std::int64_t i = 0; i < over; ++i) {
    std::ranges::fill(filters_[static_cast<std::size_t>(period - i) % kPeriods], 0);
  }
  period_ = period;
}

void RefusedAsks::add(Instant now, std::uint64_t tag) {
  advance(now);
  Filter& filter = filters_[static_cast<std::size_t>(period_) % kPeriods];
  if (filter.empty()) filter.resize(kBits / kWordBits);
  for (std::size_t hash = 0; hash < kHashes; ++hash) {
    const std::uint64_t place = place_of(tag, hash);
    filter[place / kWordBits] |= std::uint64_t{1} << place % kWordBits;
  }
}

bool RefusedAsks::contains(const Filter& filter, std::uint64_t tag) {
  if (filter.empty()) return false;
  for (std::size_t hash = 0; hash < kHashes; ++hash) {
    const std::uint64_t place = place_of(tag, hash);
    if ((filter[place / kWordBits] >> place % kWordBits & 1) == 0) return false;
  }
  return true;
}

bool RefusedAsks::knows(Instant now, std::uint64_t tag) {
  advance(now);
  for (std::size_t before = 1; before < kPeriods; ++before) {
    if (contains(filters_[(static_cast<std::size_t>(period_) + kPeriods - before) % kPeriods], tag)) return true;
  }
  return false;
}

}  // namespace amt
