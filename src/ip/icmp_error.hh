#pragma once
/// The error that a router sends to the source of a datagram that is too big to go on: ICMP Destination Unreachable,
/// "fragmentation needed and DF set" (RFC 792, RFC 1191 §4), and ICMPv6 Packet Too Big (RFC 4443 §3.2).

#include <vector>

#include "ip/datagram.hh"

namespace amt {

/// Whole error datagrams stay within these: RFC 1812 §4.3.2.3 ("SHOULD NOT exceed 576"), RFC 4443 §3.2 (the minimum
/// IPv6 MTU).
inline constexpr std::size_t kIcmpErrorOctetsMax = 576;
inline constexpr std::size_t kIcmpv6ErrorOctetsMax = 1280;

/// Whether `datagram` may be answered by such an error. Not: an ICMP error or redirect, a fragment other than the
/// first, a source that is no single host or has no meaning outside its link (RFC 1122 §3.2.2, RFC 4443 §2.4 e). That
/// the destination is a group is no obstacle (RFC 7450 §5.3.3.6.2).
[[nodiscard]] bool may_answer_with_icmp_error(const DatagramView& datagram);

/// The message, which begins with the ICMP header; quotes as much of `datagram` as the bounds above leave room for.
/// `mtu_octets`: for the whole datagram, its IP header included; larger values become the largest that the field holds.
/// The checksum is right for ICMP, and 0 for ICMPv6: it covers the outer addresses, and the kernel fills it in (RFC
/// 3542 §3.1).
[[nodiscard]] std::vector<std::byte> write_too_big(const DatagramView& datagram, std::size_t mtu_octets);

}  // namespace amt
