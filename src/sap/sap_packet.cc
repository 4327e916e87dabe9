#include "sap/sap_packet.hh"

#include <algorithm>
#include <array>
#include <optional>

#include "ip/address.hh"

namespace amt {
namespace {

//  0                   1                   2                   3
//  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
// | V=1 |A|R|T|E|C|   auth len    |         msg id hash           |
// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
// :                originating source (32 or 128 bits)            :
// :                    optional authentication data               :
// :                      optional payload type                    :
// :                             payload                           :
constexpr std::size_t kFixedOctets = 4;
constexpr unsigned kVersion = 1;
constexpr unsigned kAddressType = 0x10;
constexpr unsigned kDeletion = 0x04;
constexpr unsigned kEncrypted = 0x02;
constexpr unsigned kCompressed = 0x01;
constexpr std::size_t kAuthenticationUnit = 4;
constexpr std::string_view kSdpType = "application/sdp";
constexpr std::string_view kSdpBegin = "v=0";

std::string text_of(Bytes octets) {
  std::string text(octets.size(), '\0');
  std::ranges::transform(octets, text.begin(), [](std::byte one) { return std::to_integer<char>(one); });
  return text;
}

/// Without the payload type before it. Nothing: it is no SDP. RFC 2974 §6: a payload that begins with "v=0" has no
/// type; a deletion may consist of the origin line alone.
std::optional<std::string> sdp_of(std::string text, bool is_deletion) {
  if (text.starts_with(kSdpBegin)) return text;
  const std::size_t end = text.find('\0');
  if (end == std::string::npos) {
    return is_deletion && text.starts_with("o=") ? std::optional(std::move(text)) : std::nullopt;
  }
  if (text.compare(0, end, kSdpType) != 0) return std::nullopt;
  return text.substr(end + 1);
}

constexpr std::array<std::byte, 16> v6_group(unsigned scope) {
  std::array<std::byte, 16> octets{};
  octets[0] = std::byte{0xff};
  octets[1] = static_cast<std::byte>(scope);
  octets[13] = std::byte{0x02};
  octets[14] = std::byte{0x7f};
  octets[15] = std::byte{0xfe};
  return octets;
}

/// An administrative scope, and the address on which its sessions are announced.
struct Scope {
  Prefix groups;
  IpAddress announcements;
};
const std::array<Scope, 3>& v4_scopes() {
  static const std::array<Scope, 3> kScopes = {{
      {{IpAddress::from_v4(0xefff0000), 16}, IpAddress::from_v4(0xefffffff)},  // 239.255.0.0/16, local
      {{IpAddress::from_v4(0xefc00000), 14}, IpAddress::from_v4(0xefc3ffff)},  // 239.192.0.0/14, organisation
      {{IpAddress::from_v4(0xe0000000), 24}, IpAddress::from_v4(0xe00000ff)},  // 224.0.0.0/24, link
  }};
  return kScopes;
}
constexpr IpAddress kGlobalV4 = IpAddress::from_v4(0xe0027ffe);  // 224.2.127.254
constexpr unsigned kScopeMask = 0x0f;
constexpr std::array<unsigned, 4> kV6Scopes = {0x2, 0x5, 0x8, 0xe};  // link, site, organisation, global

}  // namespace

Result<SapPacket, SapError> SapPacket::parse(Bytes datagram) {
  if (datagram.size() > kSapOctetsMax) return Unexpected<SapError>(SapError::kTooLarge);
  ByteReader in(datagram);
  if (!in.has(kFixedOctets)) return Unexpected<SapError>(SapError::kMalformed);
  const unsigned first = in.u8();
  if (first >> 5U != kVersion) return Unexpected<SapError>(SapError::kVersion);
  const std::size_t authentication_octets = in.u8() * kAuthenticationUnit;
  SapPacket packet;
  packet.is_deletion = (first & kDeletion) != 0;
  packet.is_signed = authentication_octets != 0;
  packet.message_id_hash = in.u16();
  const std::size_t address_octets = (first & kAddressType) != 0 ? 16 : 4;
  if (!in.has(address_octets + authentication_octets)) return Unexpected<SapError>(SapError::kMalformed);
  packet.origin = IpAddress::from_bytes(in.bytes(address_octets));
  in.skip(authentication_octets);
  if ((first & kEncrypted) != 0) return Unexpected<SapError>(SapError::kEncrypted);
  if ((first & kCompressed) != 0) return Unexpected<SapError>(SapError::kCompressed);
  std::optional<std::string> payload = sdp_of(text_of(in.rest()), packet.is_deletion);
  if (!payload) return Unexpected<SapError>(SapError::kPayloadType);
  packet.payload = std::move(*payload);
  return packet;
}

std::vector<std::byte> SapPacket::serialise() const {
  const Bytes address = origin.bytes();
  std::vector<std::byte> out(kFixedOctets + address.size() + kSdpType.size() + 1 + payload.size());
  ByteWriter writer(out);
  writer.u8(
      static_cast<std::uint8_t>(kVersion << 5U | (origin.is_v4() ? 0 : kAddressType) | (is_deletion ? kDeletion : 0)));
  writer.u8(0);
  writer.u16(message_id_hash);
  writer.bytes(address);
  for (const char c : kSdpType) writer.u8(static_cast<std::uint8_t>(c));
  writer.u8(0);
  for (const char c : payload) writer.u8(static_cast<std::uint8_t>(c));
  return out;
}

std::uint16_t message_id_hash(std::string_view payload) {
  constexpr std::uint32_t kOffset = 2166136261;
  constexpr std::uint32_t kPrime = 16777619;
  std::uint32_t hash = kOffset;
  for (const char c : payload) hash = (hash ^ static_cast<std::uint8_t>(c)) * kPrime;
  const auto folded = static_cast<std::uint16_t>(hash >> 16U ^ hash);
  return folded == 0 ? std::uint16_t{1} : folded;
}

IpAddress announcement_group(const IpAddress& group) {
  if (!group.is_v4()) {
    return IpAddress::from_v6(v6_group(std::to_integer<unsigned>(group.mapped_octets()[1]) & kScopeMask));
  }
  for (const Scope& scope : v4_scopes()) {
    if (scope.groups.contains(group)) return scope.announcements;
  }
  return kGlobalV4;
}

std::vector<IpAddress> announcement_groups(Family family) {
  std::vector<IpAddress> groups;
  if (family == Family::kIpv4) {
    groups.push_back(kGlobalV4);
    for (const Scope& scope : v4_scopes()) groups.push_back(scope.announcements);
  } else {
    for (const unsigned scope : kV6Scopes) groups.push_back(IpAddress::from_v6(v6_group(scope)));
  }
  return groups;
}

}  // namespace amt
