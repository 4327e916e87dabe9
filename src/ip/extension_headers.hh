#pragma once
/// The IPv6 extension header chain (RFC 8200 §4), walked within bounds. For the room `ip` alone.

#include <cstdint>
#include <optional>

#include "base/byte_reader.hh"

namespace amt {

inline constexpr std::uint8_t kNextHeaderRouting = 43;
inline constexpr std::uint8_t kNextHeaderFragment = 44;
inline constexpr std::uint8_t kNextHeaderDestination = 60;
inline constexpr std::size_t kFragmentHeaderOctets = 8;

/// RFC 8200 §4.1 recommends an order in which no more than six stand; beyond this it is an attack (RFC 8504 §5.3).
inline constexpr std::size_t kExtensionHeadersMax = 16;

struct FragmentHeader {
  /// Of the Next Header field that announces this header, from the start of the datagram.
  std::size_t announced_at = 0;
  std::uint8_t next_header = 0;
  std::uint32_t offset = 0;
  bool more = false;
  std::uint32_t identification = 0;

  /// RFC 6946: a whole datagram that has a Fragment header.
  [[nodiscard]] bool is_atomic() const { return offset == 0 && !more; }
};

struct ExtensionHeaders {
  /// The protocol that the last header announces.
  std::uint8_t protocol = 0;
  /// Octets from the start of the datagram to the end of the chain.
  std::size_t end = 0;
  bool router_alert = false;
  std::optional<FragmentHeader> fragment;
};

/// `datagram` is one whole IPv6 datagram, its 40 octets of header present. The walk ends behind the Fragment header of
/// a fragment: the octets after it are this fragment's piece. Nothing: the chain leaves the datagram or breaks the
/// rules.
[[nodiscard]] std::optional<ExtensionHeaders> walk_extension_headers(Bytes datagram);

}  // namespace amt
