#pragma once
/// Whole IP datagrams: read, checked, written. One view for both families.

#include <cstdint>
#include <string_view>

#include "amt/ip_address.hh"
#include "amt/result.hh"
#include "base/byte_reader.hh"

namespace amt {

inline constexpr std::size_t kIpv4HeaderOctets = 20;
inline constexpr std::size_t kIpv6HeaderOctets = 40;
inline constexpr std::size_t kUdpHeaderOctets = 8;
/// In a UDP header.
inline constexpr std::size_t kUdpLengthAt = 4;
inline constexpr std::size_t kUdpChecksumAt = 6;

inline constexpr std::uint8_t kProtocolHopByHop = 0;
inline constexpr std::uint8_t kProtocolIcmp = 1;
inline constexpr std::uint8_t kProtocolIgmp = 2;
inline constexpr std::uint8_t kProtocolUdp = 17;
inline constexpr std::uint8_t kProtocolIcmpv6 = 58;

/// ECN codepoints (RFC 3168); the two low bits of TOS / Traffic Class.
enum class Ecn : std::uint8_t { kNotEct = 0, kEct1 = 1, kEct0 = 2, kCe = 3 };

enum class IpError : std::uint8_t {
  kTruncated,          ///< shorter than its headers or than its own total length
  kBadVersion,         ///< neither 4 nor 6
  kBadHeader,          ///< header length, total length or extension header chain make no sense
  kBadHeaderChecksum,  ///< IPv4 only
};
[[nodiscard]] std::string_view to_string(IpError error);

/// One IP datagram, parsed. The spans point into the caller's buffer.
struct DatagramView {
  /// From the first octet of the header to the end by the datagram's own length; surplus octets are cut off.
  Bytes bytes;
  /// The octets after the IPv4 header and options, or the IPv6 extension headers. In a fragment: this fragment's piece.
  Bytes payload;
  IpAddress source;
  IpAddress destination;
  /// The upper-layer protocol: after hop-by-hop, routing, destination and fragment headers.
  std::uint8_t protocol = 0;
  /// TOS / Traffic Class as one octet: DSCP and ECN are apart, see `ecn`.
  std::uint8_t traffic_class = 0;
  /// TTL / Hop Limit.
  std::uint8_t hop_limit = 0;
  /// IPv4 option 148 (RFC 2113) or hop-by-hop option 5 (RFC 2711), any value.
  bool router_alert = false;
  /// IPv4 only.
  bool dont_fragment = false;
  bool more_fragments = false;
  /// In octets.
  std::uint32_t fragment_offset = 0;
  std::uint32_t identification = 0;

  [[nodiscard]] Family family() const { return source.family(); }
  [[nodiscard]] bool is_fragment() const { return more_fragments || fragment_offset != 0; }
  [[nodiscard]] Ecn ecn() const { return static_cast<Ecn>(traffic_class & 3); }

  /// Checks the version, every length, the extension header chain and the IPv4 header checksum; not the payload.
  /// Surplus octets after the datagram are allowed and cut off (RFC 7450 §5.3.3.4 "MUST ignore").
  static Result<DatagramView, IpError> parse(Bytes octets);
};

/// Source, destination and ECN of a datagram at fixed offsets: the data path's whole need.
/// Checks version, minimal header and that the datagram's own length is there; no checksum.
struct DatagramAddresses {
  IpAddress source;
  IpAddress destination;
  /// The datagram's own total length, at most the octets given.
  std::size_t octets = 0;
  Ecn ecn = Ecn::kNotEct;
};
[[nodiscard]] Result<DatagramAddresses, IpError> peek_addresses(Bytes octets);

/// Parameters of a header to write.
struct HeaderFields {
  IpAddress source;
  IpAddress destination;
  std::uint8_t protocol = 0;
  std::uint8_t traffic_class = 0;
  std::uint8_t hop_limit = 1;
  /// Adds the Router Alert: IPv4 option 94040000, or a hop-by-hop header 3a000502 00000100 (padded).
  bool router_alert = false;
  std::uint16_t identification = 0;
};
/// 20 or 24 for IPv4, 40 or 48 for IPv6.
[[nodiscard]] std::size_t header_octets(const HeaderFields& fields);
/// Writes the header for `payload_octets` of upper-layer data, the IPv4 header checksum included. Both addresses are of
/// one family.
void write_header(ByteWriter& out, const HeaderFields& fields, std::size_t payload_octets);

/// Lowers TTL / Hop Limit by one in place and mends the IPv4 header checksum.
/// False, and nothing changed, when it is 0 or 1: the datagram must not be forwarded.
[[nodiscard]] bool decrement_hop_limit(MutableBytes datagram);

/// Sets the ECN field in place and mends the IPv4 header checksum.
void set_ecn(MutableBytes datagram, Ecn ecn);

}  // namespace amt
