#pragma once
/// The Internet checksum (RFC 1071) and its pseudo-headers (RFC 768, RFC 8200 §8.1).

#include <cstdint>

#include "amt/ip_address.hh"
#include "base/byte_reader.hh"

namespace amt {

/// A running one's-complement sum. Pieces may have odd lengths only at the end.
class InternetChecksum {
 public:
  void add(Bytes bytes);
  void add_u16(std::uint16_t value) { sum_ += value; }
  /// Source, destination, upper-layer length and protocol.
  void add_pseudo_header(const IpAddress& source, const IpAddress& destination, std::uint8_t protocol,
                         std::uint32_t upper_layer_octets);
  /// The value for the checksum field. Over data with a right checksum in place it is 0.
  [[nodiscard]] std::uint16_t value() const;

 private:
  std::uint64_t sum_ = 0;
};

[[nodiscard]] std::uint16_t internet_checksum(Bytes bytes);

/// RFC 1624: the checksum field after one 16-bit word under it changed.
[[nodiscard]] std::uint16_t updated_checksum(std::uint16_t checksum, std::uint16_t old_word, std::uint16_t new_word);

}  // namespace amt
