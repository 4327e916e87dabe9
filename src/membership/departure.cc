#include "membership/departure.hh"

#include "ip/address.hh"
#include "ip/datagram.hh"

namespace amt {
namespace {

bool is_mld_type(std::byte type) {
  const auto number = std::to_integer<std::uint8_t>(type);
  return (number >= 130 && number <= 132) || number == 143;
}

/// ICMPv6 may stand behind extension headers, and MLD always does: Router Alert.
bool is_mld(Bytes datagram) {
  constexpr std::size_t kNextHeaderAt = 6;
  const auto next_header = std::to_integer<std::uint8_t>(datagram[kNextHeaderAt]);
  if (next_header != kProtocolHopByHop && next_header != kProtocolIcmpv6) return false;
  const Result<DatagramView, IpError> view = DatagramView::parse(datagram);
  if (!view || view->protocol != kProtocolIcmpv6 || view->fragment_offset != 0) return false;
  return !view->payload.empty() && is_mld_type(view->payload[0]);
}

}  // namespace

Departure classify_departure(Bytes datagram) {
  constexpr std::size_t kProtocolAt = 9;
  const Result<DatagramAddresses, IpError> addresses = peek_addresses(datagram);
  if (!addresses || !addresses->destination.is_multicast()) return Departure::kOther;
  // Specific queries, and reports of the older versions, go to groups of any scope.
  const bool is_membership = addresses->destination.is_v4()
                                 ? std::to_integer<std::uint8_t>(datagram[kProtocolAt]) == kProtocolIgmp
                                 : is_mld(datagram);
  if (is_membership) return Departure::kMembership;
  return is_link_scope_multicast(addresses->destination) ? Departure::kOther : Departure::kData;
}

}  // namespace amt
