#pragma once
/// AMT, IGMP and MLD datagrams written octet by octet: what a relay must understand, made by no codec of ours.

#include <string>
#include <string_view>
#include <vector>

#include "amt/endpoint.hh"
#include "base/byte_reader.hh"

namespace amt::relay_test {

using Octets = std::vector<std::byte>;

inline unsigned nibble(char c) { return static_cast<unsigned>(c <= '9' ? c - '0' : c - 'a' + 10); }

/// Hexadecimal digits with any spaces between them.
inline Octets hex(std::string_view text) {
  std::string digits;
  for (const char c : text) {
    if (c != ' ') digits += c;
  }
  Octets out;
  for (std::size_t i = 0; i + 1 < digits.size(); i += 2) {
    out.push_back(static_cast<std::byte>(nibble(digits[i]) << 4 | nibble(digits[i + 1])));
  }
  return out;
}

inline std::string to_hex(Bytes octets) {
  std::string out;
  for (const std::byte octet : octets) {
    out += "0123456789abcdef"[std::to_integer<unsigned>(octet) >> 4];
    out += "0123456789abcdef"[std::to_integer<unsigned>(octet) & 15];
  }
  return out;
}

inline void append(Octets& out, Bytes more) { out.insert(out.end(), more.begin(), more.end()); }
inline void append_u16(Octets& out, std::size_t value) {
  out.push_back(static_cast<std::byte>(value >> 8 & 0xff));
  out.push_back(static_cast<std::byte>(value & 0xff));
}
inline void append_u32(Octets& out, std::uint32_t value) {
  append_u16(out, value >> 16);
  append_u16(out, value & 0xffff);
}

/// RFC 1071, by the book.
inline std::size_t checksum(Bytes octets) {
  std::size_t sum = 0;
  for (std::size_t i = 0; i < octets.size(); ++i) {
    sum += std::to_integer<std::size_t>(octets[i]) << (i % 2 == 0 ? 8 : 0);
  }
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  return ~sum & 0xffff;
}
inline void put_u16(Octets& octets, std::size_t at, std::size_t value) {
  octets[at] = static_cast<std::byte>(value >> 8 & 0xff);
  octets[at + 1] = static_cast<std::byte>(value & 0xff);
}

inline IpAddress ip(std::string_view text) { return *IpAddress::parse(text); }

struct Record {
  int type = 5;
  IpAddress group;
  std::vector<IpAddress> sources;
};
inline constexpr int kIsIn = 1, kIsEx = 2, kToIn = 3, kToEx = 4, kAllow = 5, kBlock = 6;

inline Octets records_body(const std::vector<Record>& records) {
  Octets body;
  append_u16(body, 0);
  append_u16(body, records.size());
  for (const Record& record : records) {
    body.push_back(static_cast<std::byte>(record.type));
    body.push_back(std::byte{0});
    append_u16(body, record.sources.size());
    append(body, record.group.bytes());
    for (const IpAddress& source : record.sources) append(body, source.bytes());
  }
  return body;
}

/// IPv4 with TTL 1, TOS C0 and Router Alert around one IGMP message whose checksum (octets 2, 3) is filled in.
inline Octets in_ipv4(Octets igmp, const IpAddress& destination) {
  put_u16(igmp, 2, 0);
  put_u16(igmp, 2, checksum(igmp));
  Octets out = hex("46c00000 00000000 01020000 00000000");
  append(out, destination.bytes());
  append(out, hex("94040000"));
  put_u16(out, 2, out.size() + igmp.size());
  put_u16(out, 10, checksum(out));
  append(out, igmp);
  return out;
}

/// IPv6 with Hop Limit 1 and a hop-by-hop Router Alert around one ICMPv6 message.
inline Octets in_ipv6(Octets icmp, const IpAddress& destination, const IpAddress& source = ip("fe80::2")) {
  put_u16(icmp, 2, 0);
  Octets pseudo;
  append(pseudo, source.bytes());
  append(pseudo, destination.bytes());
  append_u32(pseudo, static_cast<std::uint32_t>(icmp.size()));
  append(pseudo, hex("0000003a"));
  append(pseudo, icmp);
  put_u16(icmp, 2, checksum(pseudo));
  Octets out = hex("60000000");
  append_u16(out, icmp.size() + 8);
  append(out, hex("0001"));
  append(out, source.bytes());
  append(out, destination.bytes());
  append(out, hex("3a000502 00000100"));
  append(out, icmp);
  return out;
}

/// An IGMPv3 or MLDv2 report, by the family of the first record's group.
inline Octets report(const std::vector<Record>& records, Family family) {
  const bool igmp = family == Family::kIpv4;
  Octets message = hex(igmp ? "22000000" : "8f000000");
  append(message, records_body(records));
  return igmp ? in_ipv4(message, ip("224.0.0.22")) : in_ipv6(message, ip("ff02::16"));
}
inline Octets report(const std::vector<Record>& records) { return report(records, records.front().group.family()); }

/// IGMP of type `type` with one group: v1/v2 report, leave, query.
inline Octets igmp_short(std::string_view type, const IpAddress& group, const IpAddress& destination) {
  Octets message = hex(type);
  append(message, hex("000000"));
  append(message, group.bytes());
  return in_ipv4(message, destination);
}
/// MLDv1 report or done.
inline Octets mld_short(std::string_view type, const IpAddress& group, const IpAddress& destination) {
  Octets message = hex(type);
  append(message, hex("000000 00000000"));
  append(message, group.bytes());
  return in_ipv6(message, destination);
}

inline Octets discovery(std::uint32_t nonce) {
  Octets out = hex("01000000");
  append_u32(out, nonce);
  return out;
}
/// `flags`: P 0x01, E 0x02, P of the Linux kernel's gateway 0x80.
inline Octets request(std::uint32_t nonce, unsigned flags = 0) {
  Octets out = hex("03000000");
  out[1] = static_cast<std::byte>(flags);
  append_u32(out, nonce);
  return out;
}

/// What a gateway keeps of a Query.
struct Grant {
  Octets mac;
  std::uint32_t nonce = 0;
};

inline Octets update(const Grant& grant, Bytes inner) {
  Octets out = hex("0500");
  append(out, grant.mac);
  append_u32(out, grant.nonce);
  append(out, inner);
  return out;
}

/// The sixteen octets of a Gateway IP Address: IPv4-compatible (R-5.1.4-c).
inline Octets address_field(const IpAddress& address) {
  Octets out(address.is_v4() ? 12 : 0);
  append(out, address.bytes());
  return out;
}
inline Octets teardown(const Grant& grant, const TunnelEndpoint& endpoint) {
  Octets out = hex("0700");
  append(out, grant.mac);
  append_u32(out, grant.nonce);
  append_u16(out, endpoint.port);
  append(out, address_field(endpoint.address));
  return out;
}

inline TunnelEndpoint endpoint(std::string_view address, std::uint16_t port) { return {{ip(address), port}}; }
inline LocalAddress local(std::string_view address, std::uint16_t port = kAmtPort) { return {{ip(address), port}}; }

}  // namespace amt::relay_test
