#include "ip/checksum.hh"

#include <bit>
#include <cstring>

namespace amt {
namespace {

/// A one's-complement sum of 64-bit words: the carry comes back in at the low end. Folded to 16 bits it is the sum of
/// the same octets taken as 16-bit words, since 2^16 - 1 divides 2^64 - 1 (RFC 1071 §2 (C)).
class WordSum {
 public:
  void add(std::uint64_t word) {
    sum_ += word;
    sum_ += static_cast<std::uint64_t>(sum_ < word);
  }
  [[nodiscard]] std::uint64_t sum() const { return sum_; }

 private:
  std::uint64_t sum_ = 0;
};

std::uint64_t load(const std::byte* at) {
  std::uint64_t word = 0;
  std::memcpy(&word, at, sizeof word);
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
  // Two sums, so that one addition need not wait for the other's carry.
  WordSum even;
  WordSum odd;
  for (; left >= 32; left -= 32, at += 32) {
    even.add(load(at));
    odd.add(load(at + 8));
    even.add(load(at + 16));
    odd.add(load(at + 24));
  }
  for (; left >= 8; left -= 8, at += 8) even.add(load(at));
  if (left > 0) {
    // An odd octet at the end is the high half of a word whose low half is zero, in either byte order.
    std::uint64_t word = 0;
    std::memcpy(&word, at, left);
    odd.add(word);
  }
  even.add(odd.sum());
  sum_ += from_native(fold(even.sum()));
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
