#include "media/sequence_tracker.hh"

#include <algorithm>

#include "base/assert.hh"

namespace amt {

// Half the number space at most: beyond that a late packet and a far one cannot be distinguished.
SequenceTracker::SequenceTracker(unsigned bits, unsigned window_bits_max)
    : bits_(bits), window_(std::int64_t{1} << std::min(bits - 1, window_bits_max)) {
  AMT_ASSERT(bits >= 1 && bits <= 32);
  seen_.resize((static_cast<std::size_t>(window_) + 63) / 64);
}

bool SequenceTracker::test_and_set(std::int64_t number) {
  const auto at = static_cast<std::size_t>(number & (window_ - 1));
  const std::uint64_t mask = std::uint64_t{1} << (at % 64);
  const bool was_set = (seen_[at / 64] & mask) != 0;
  seen_[at / 64] |= mask;
  return was_set;
}

void SequenceTracker::advance_to(std::int64_t number) {
  if (number - highest_ >= window_) {
    std::fill(seen_.begin(), seen_.end(), 0);
  } else {
    for (std::int64_t skipped = highest_ + 1; skipped <= number; ++skipped) {
      const auto at = static_cast<std::size_t>(skipped & (window_ - 1));
      seen_[at / 64] &= ~(std::uint64_t{1} << (at % 64));
    }
  }
  highest_ = number;
}

SequenceTracker::Verdict SequenceTracker::add(std::uint32_t sequence) {
  const std::int64_t space = std::int64_t{1} << bits_;
  const std::int64_t wire = sequence & (space - 1);
  if (distinct_ == 0) {
    // Room below for packets that are older than the first to arrive.
    lowest_ = highest_ = space + wire;
    distinct_ = 1;
    static_cast<void>(test_and_set(highest_));
    return Verdict::kInOrder;
  }
  // The number that is nearest to the highest seen (RFC 1982 arithmetic).
  std::int64_t difference = (wire - highest_) & (space - 1);
  if (difference >= space / 2) difference -= space;
  const std::int64_t number = highest_ + difference;
  if (difference > 0) {
    advance_to(number);
    static_cast<void>(test_and_set(number));
    ++distinct_;
    return Verdict::kInOrder;
  }
  if (-difference >= window_) return Verdict::kTooOld;
  if (test_and_set(number)) return Verdict::kDuplicate;
  lowest_ = std::min(lowest_, number);
  ++distinct_;
  return Verdict::kReordered;
}

std::uint64_t SequenceTracker::lost() const {
  if (distinct_ == 0) return 0;
  return static_cast<std::uint64_t>(highest_ - lowest_ + 1) - distinct_;
}

}  // namespace amt
