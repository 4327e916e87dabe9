#include "base/printable.hh"

#include <cstdint>

namespace amt {
namespace {

/// Octets of the UTF-8 sequence at the start of `text`; 0: none that may be shown.
std::size_t utf8_sequence_octets(std::string_view text) {
  const auto at = [text](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  const std::uint8_t first = at(0);
  if (first < 0x80) return first >= 0x20 && first != 0x7f ? 1 : 0;
  const std::size_t octets = first >= 0xf5 ? 0 : first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : first >= 0xc2 ? 2 : 0;
  if (octets == 0 || text.size() < octets) return 0;
  for (std::size_t i = 1; i < octets; ++i) {
    if ((at(i) & 0xc0) != 0x80) return 0;
  }
  const std::uint8_t second = at(1);
  if (first == 0xc2 && second < 0xa0) return 0;                                        // C1 control characters
  if ((first == 0xe0 && second < 0xa0) || (first == 0xf0 && second < 0x90)) return 0;  // overlong
  if ((first == 0xed && second >= 0xa0) || (first == 0xf4 && second >= 0x90)) return 0;
  return octets;
}

}  // namespace

std::string printable(std::string_view text, std::size_t octets_max) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string out;
  std::size_t at = 0;
  while (at < text.size() && out.size() < octets_max) {
    const std::size_t octets = utf8_sequence_octets(text.substr(at));
    if (octets > 0) {
      out += text.substr(at, octets);
      at += octets;
      continue;
    }
    const auto octet = static_cast<std::uint8_t>(text[at++]);
    out += "\\x";
    out += kHex[octet >> 4];
    out += kHex[octet & 15];
  }
  if (at < text.size()) out += "...";
  return out;
}

}  // namespace amt
