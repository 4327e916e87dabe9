#include "ip/reachability.hh"

#include <algorithm>
#include <array>

#include "ip/address.hh"

namespace amt {

bool is_globally_reachable(const IpAddress& address) {
  static const std::array<Prefix, 7> kSpecial = {{
      {IpAddress::from_v4(0x00000000), 8},
      {IpAddress::from_v4(0xc0000000), 24},
      {IpAddress::from_v4(0xc0000200), 24},
      {IpAddress::from_v4(0xc6120000), 15},
      {IpAddress::from_v4(0xc6336400), 24},
      {IpAddress::from_v4(0xcb007100), 24},
      {IpAddress::from_v4(0xf0000000), 4},
  }};
  static const Prefix kUnicastV6{IpAddress::from_v6({std::byte{0x20}}), 3};
  static const Prefix kDocumentationV6{
      IpAddress::from_v6({std::byte{0x20}, std::byte{0x01}, std::byte{0x0d}, std::byte{0xb8}}), 32};
  if (!is_routed_unicast(address) || is_private(address)) return false;
  if (!address.is_v4()) return kUnicastV6.contains(address) && !kDocumentationV6.contains(address);
  return std::ranges::none_of(kSpecial, [&](const Prefix& prefix) { return prefix.contains(address); });
}

}  // namespace amt
