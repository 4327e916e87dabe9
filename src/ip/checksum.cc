#include "ip/checksum.hh"

#include <bit>
#include <cstring>

namespace amt {
namespace {

/// Two 64-bit words at once, on every processor that has such registers.
using WordPair = std::uint64_t __attribute__((vector_size(16)));

/// A sum of 32-bit halves, whose carries have room in the upper ones: 2^32 of them at least. Folded to 16 bits it is
/// the sum of the same octets taken as 16-bit words, since 2^16 - 1 divides 2^32 - 1 (RFC 1071 §2 (C)).
class HalvesSum {
 public:
  void add(const std::byte* sixteen_octets) {
    WordPair words;
    std::memcpy(&words, sixteen_octets, sizeof words);
    low_ += words & 0xffffffff;
    high_ += words >> 32;
  }
  [[nodiscard]] std::uint64_t sum() const { return low_[0] + low_[1] + high_[0] + high_[1]; }

 private:
  WordPair low_{};
  WordPair high_{};
};

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
  const std::byte* at = bytes.data();
  std::size_t left = bytes.size();
  // Two sums, so that one addition need not wait for the other.
  HalvesSum even;
  HalvesSum odd;
  for (; left >= 32; left -= 32, at += 32) {
    even.add(at);
    odd.add(at + 16);
  }
  std::uint64_t sum = even.sum() + odd.sum();
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
