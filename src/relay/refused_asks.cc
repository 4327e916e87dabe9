#include "relay/refused_asks.hh"

#include <algorithm>

namespace amt {
namespace {

/// Of a tag, for each hash.
constexpr unsigned kPlaceBits = 21;
constexpr std::size_t kBitsMax = std::size_t{1} << kPlaceBits;

}  // namespace

RefusedAsks::RefusedAsks(std::size_t bits)
    : words_((std::clamp(bits, kWordBits, kBitsMax) + kWordBits - 1) / kWordBits) {}

std::size_t RefusedAsks::place_of(const Filter& filter, std::uint64_t tag, std::size_t hash) {
  static_assert(kHashes * kPlaceBits < kWordBits);
  return (tag >> (kPlaceBits * hash) & (kBitsMax - 1)) % (filter.size() * kWordBits);
}

void RefusedAsks::advance(Instant now) {
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
  if (filter.empty()) filter.resize(words_);
  for (std::size_t hash = 0; hash < kHashes; ++hash) {
    const std::size_t place = place_of(filter, tag, hash);
    filter[place / kWordBits] |= std::uint64_t{1} << place % kWordBits;
  }
}

bool RefusedAsks::contains(const Filter& filter, std::uint64_t tag) {
  if (filter.empty()) return false;
  for (std::size_t hash = 0; hash < kHashes; ++hash) {
    const std::size_t place = place_of(filter, tag, hash);
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
