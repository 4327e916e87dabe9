/// Codes in floating form (RFC 3376 §4.1.1 and §4.1.7, RFC 3810 §5.1.3 and §5.1.9).
#include "membership/message.hh"

namespace amt {
namespace {

/// The code is one bit "floating", then the exponent, then the mantissa:
///
///      0 1 2 3 4 5 6 7          0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5
///     +-+-+-+-+-+-+-+-+        +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
///     |1| exp | mant  |        |1| exp |          mant         |
///     +-+-+-+-+-+-+-+-+        +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
///
/// Value: code below the floating bit as it stands; else (mant | 1 above it) << (exp + 3).
std::uint32_t decode(std::uint32_t code, unsigned mantissa_bits) {
  const std::uint32_t implied = std::uint32_t{1} << mantissa_bits;
  if (code < implied << 3) return code;
  const std::uint32_t exponent = code >> mantissa_bits & 7;
  return ((code & (implied - 1)) | implied) << (exponent + 3);
}

std::uint32_t encode(std::uint32_t value, unsigned mantissa_bits) {
  const std::uint32_t implied = std::uint32_t{1} << mantissa_bits;
  if (value < implied << 3) return value;
  const std::uint32_t largest_code = (implied << 4) - 1;
  if (value >= decode(largest_code, mantissa_bits)) return largest_code;
  std::uint32_t exponent = 0;
  while (value >> (exponent + 3) >= implied << 1) ++exponent;
  return implied << 3 | exponent << mantissa_bits | (value >> (exponent + 3) & (implied - 1));
}

}  // namespace

std::uint32_t decode_code8(std::uint8_t code) { return decode(code, 4); }
std::uint8_t encode_code8(std::uint32_t value) { return static_cast<std::uint8_t>(encode(value, 4)); }
std::uint32_t decode_code16(std::uint16_t code) { return decode(code, 12); }
std::uint16_t encode_code16(std::uint32_t value) { return static_cast<std::uint16_t>(encode(value, 12)); }

}  // namespace amt
