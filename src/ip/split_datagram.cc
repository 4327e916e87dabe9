#include "ip/split_datagram.hh"

#include "ip/datagram.hh"

namespace amt {

std::optional<IpAddress> SplitDatagram::group() const {
  const bool v4 = !head.empty() && std::to_integer<unsigned>(head[0]) >> 4 == 4;
  if (head.size() < (v4 ? kIpv4HeaderOctets : kIpv6HeaderOctets)) return std::nullopt;
  const IpAddress destination = IpAddress::from_bytes(v4 ? head.subspan(16, 4) : head.subspan(24, 16));
  if (!destination.is_multicast()) return std::nullopt;
  return destination;
}

}  // namespace amt
