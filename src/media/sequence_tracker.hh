#pragma once
/// Tracks numbered packets: missing, doubled and late ones.

#include <cstdint>
#include <vector>

namespace amt {

/// Follows a sequence number of `bits` bits that wraps. Memory and cost per packet are fixed, for any numbers. The
/// first number seen starts the count; a missing packet is known from the numbers around it.
class SequenceTracker {
 public:
  /// How far back a packet is remembered: 65,536 packets of 1316 octets are 7 s at 100 Mbit/s, in 8 KiB.
  static constexpr unsigned kWindowBits = 16;
  /// `bits`: 1 to 32. `window_bits_max`: 2 to that of the packets that are remembered, an eighth as many octets.
  explicit SequenceTracker(unsigned bits, unsigned window_bits_max = kWindowBits);

  enum class Verdict : std::uint8_t {
    kInOrder,    ///< higher than all before
    kReordered,  ///< a gap is filled by a late packet (RFC 4737 §3.3)
    kDuplicate,  ///< was here before
    kTooOld,     ///< so late that it is unknown whether it was here before; changes nothing
  };
  Verdict add(std::uint32_t sequence);

  /// Different numbers seen, and numbers between the lowest and the highest that were not.
  [[nodiscard]] std::uint64_t distinct() const { return distinct_; }
  [[nodiscard]] std::uint64_t lost() const;

 private:
  [[nodiscard]] bool test_and_set(std::int64_t number);
  void advance_to(std::int64_t number);

  unsigned bits_;
  std::int64_t window_;
  std::vector<std::uint64_t> seen_;
  std::int64_t lowest_ = 0;
  std::int64_t highest_ = -1;
  std::uint64_t distinct_ = 0;
};

}  // namespace amt
