#include "ip/checksum.hh"

#include <bit>
#include <cstring>

namespace amt {
namespace {

/// Some 64-bit words at once, on every processor that has such registers.
template <std::size_t kOctets>
using Words __attribute__((vector_size(kOctets))) = std::uint64_t;

/// A sum of 32-bit halves, whose carries have room in the upper ones: 2^32 of them at least. Folded to 16 bits it is
/// the sum of the same octets taken as 16-bit words, since 2^16 - 1 divides 2^32 - 1 (RFC 1071 §2 (C)).
template <std::size_t kOctets>
class HalvesSum {
 public:
  void add(const std::byte* octets) {
    Words<kOctets> words;
    std::memcpy(&words, octets, sizeof words);
    low_ += words & 0xffffffff;
    high_ += words >> 32;
  }
  [[nodiscard]] std::uint64_t sum() const {
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < kOctets / 8; ++i) sum += low_[i] + high_[i];
    return sum;
  }

 private:
  Words<kOctets> low_{};
  Words<kOctets> high_{};
};

/// Of as many whole `2 * kOctets` as there are, which are taken off the front.
template <std::size_t kOctets>
[[gnu::always_inline]] inline std::uint64_t take_sum(Bytes& bytes) {
  const std::byte* at = bytes.data();
  std::size_t left = bytes.size();
  // Two sums, so that one addition need not wait for the other.
  HalvesSum<kOctets> even;
  HalvesSum<kOctets> odd;
  for (; left >= 2 * kOctets; left -= 2 * kOctets, at += 2 * kOctets) {
    even.add(at);
    odd.add(at + kOctets);
  }
  bytes = bytes.last(left);
  return even.sum() + odd.sum();
}

#if defined(__x86_64__)
[[gnu::target("avx2")]] std::uint64_t take_wide_sum(Bytes& bytes) { return take_sum<32>(bytes); }
const bool kHasWideWords = __builtin_cpu_supports("avx2") != 0;
#else
constexpr bool kHasWideWords = false;
std::uint64_t take_wide_sum(Bytes&) { return 0; }
#endif
/// Below, to begin costs more than it saves.
constexpr std::size_t kWideMin = 128;

/// Up to four octets as they stand in memory, zeros behind them.
std::uint32_t load(const std::byte* at, std::size_t octets) {
  std::uint32_t word = 0;
  std::memcpy(&word, at, octets);
  return word;
}

std::uint16_t fold(std::uint64_t sum) {
  sum = (sum & 0xffffffff) + (sum >> 32);
  sum = (sum & 0xffffffff) + (sum >> 32);
  sum = (sum & 0xffff) + (sum >> 16);
  sum = (sum & 0xffff) + (sum >> 16);
  return static_cast<std::uint16_t>(sum);
}

/// RFC 1071 §2 (B): summing in the machine's byte order gives the same sum with its octets exchanged.
std::uint16_t from_native(std::uint16_t sum) {
  if constexpr (std::endian::native == std::endian::big) return sum;
  return static_cast<std::uint16_t>(sum << 8 | sum >> 8);
}

}  // namespace

void InternetChecksum::add(Bytes bytes) {
  std::uint64_t sum = kHasWideWords && bytes.size() >= kWideMin ? take_wide_sum(bytes) : 0;
  sum += take_sum<16>(bytes);
  const std::byte* at = bytes.data();
  std::size_t left = bytes.size();
  for (; left >= 4; left -= 4, at += 4) sum += load(at, 4);
  // An odd octet at the end is the high half of a word whose low half is zero, in either byte order.
  if (left > 0) sum += load(at, left);
  sum_ += from_native(fold(sum));
}

void InternetChecksum::add_pseudo_header(const IpAddress& source, const IpAddress& destination, std::uint8_t protocol,
                                         std::uint32_t upper_layer_octets) {
  add(source.bytes());
  add(destination.bytes());
  sum_ += protocol;
  sum_ += upper_layer_octets;
}

std::uint16_t InternetChecksum::value() const { return static_cast<std::uint16_t>(~fold(sum_) & 0xffff); }

std::uint16_t internet_checksum(Bytes bytes) {
  InternetChecksum checksum;
  checksum.add(bytes);
  return checksum.value();
}

std::uint16_t updated_checksum(std::uint16_t checksum, std::uint16_t old_word, std::uint16_t new_word) {
  // RFC 1624 §3, equation 3: HC' = ~(~HC + ~m + m'). Equation 4 of RFC 1141 gives a wrong -0 in a corner.
  const std::uint64_t sum = (~std::uint64_t{checksum} & 0xffff) + (~std::uint64_t{old_word} & 0xffff) + new_word;
  return static_cast<std::uint16_t>(~fold(sum) & 0xffff);
}

}  // namespace amt
