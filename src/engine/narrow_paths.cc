#include "engine/narrow_paths.hh"

#include <algorithm>

#include "ip/datagram.hh"
#include "wire/message.hh"

namespace amt {

void NarrowPaths::learn(Instant now, const IpAddress& gateway, std::size_t mtu_octets) {
  if (paths_.size() >= kPathsMax && !paths_.contains(gateway)) paths_.clear();
  paths_[gateway] = {std::max(mtu_octets, gateway.is_v4() ? kMtuMinV4 : kMtuMinV6), now + kLifetime};
}

std::optional<std::size_t> NarrowPaths::inner_octets_max(Instant now, const IpAddress& gateway) {
  if (paths_.empty()) return std::nullopt;
  const auto path = paths_.find(gateway);
  if (path == paths_.end()) return std::nullopt;
  if (path->second.until <= now) {
    paths_.erase(path);
    return std::nullopt;
  }
  const std::size_t outer_header = gateway.is_v4() ? kIpv4HeaderOctets : kIpv6HeaderOctets;
  return path->second.mtu_octets - outer_header - kUdpHeaderOctets - wire::kDataHeaderOctets;
}

}  // namespace amt
