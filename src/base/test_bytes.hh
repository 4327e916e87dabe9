#pragma once
/// For tests: byte vectors as they stand in RFCs.

#include <cstddef>
#include <initializer_list>
#include <string_view>
#include <vector>

#include "base/assert.hh"

namespace amt::test {

/// Octets from hexadecimal digits; blanks between them are skipped: `hex("01000000 11223344")`.
inline std::vector<std::byte> hex(std::string_view text) {
  std::vector<std::byte> octets;
  unsigned digits = 0;
  unsigned value = 0;
  for (const char c : text) {
    if (c == ' ') continue;
    const std::string_view kDigits = "0123456789abcdef";
    const std::size_t digit = kDigits.find(c);
    AMT_ASSERT(digit != std::string_view::npos);
    value = (value << 4 | static_cast<unsigned>(digit)) & 0xff;
    if (++digits % 2 == 0) octets.push_back(static_cast<std::byte>(value));
  }
  AMT_ASSERT(digits % 2 == 0);
  return octets;
}

/// One buffer from several.
inline std::vector<std::byte> joined(std::initializer_list<std::vector<std::byte>> pieces) {
  std::vector<std::byte> octets;
  for (const std::vector<std::byte>& piece : pieces) octets.insert(octets.end(), piece.begin(), piece.end());
  return octets;
}

}  // namespace amt::test
