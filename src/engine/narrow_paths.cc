#include "engine/narrow_paths.hh"

#include <algorithm>
#include <cstdint>

#include "ip/datagram.hh"
#include "wire/message.hh"

namespace amt {

void NarrowPaths::learn(Instant now, const IpAddress& gateway, std::size_t mtu_octets, bool from_network) {
  if (from_network && (options_.fixed_octets || !options_.dynamic)) return;
  const std::size_t floor = gateway.is_v4() ? kMtuMinV4 : kMtuMinV6;
  mtu_octets = std::max({mtu_octets, floor, from_network ? options_.min_octets.value_or(0) : 0});
  // RFC 8201 §4: a Packet Too Big never raises the estimate.
  if (const std::optional<std::size_t> known = learned(now, gateway)) mtu_octets = std::min(mtu_octets, *known);
  if (paths_.size() >= kPathsMax && !paths_.contains(gateway)) paths_.clear();
  paths_[gateway] = {mtu_octets, now + kLifetime};
}

std::optional<std::size_t> NarrowPaths::learned(Instant now, const IpAddress& gateway) {
  if (paths_.empty()) return std::nullopt;
  const auto path = paths_.find(gateway);
  if (path == paths_.end()) return std::nullopt;
  if (path->second.until <= now) {
    paths_.erase(path);
    return std::nullopt;
  }
  return path->second.mtu_octets;
}

std::optional<std::size_t> NarrowPaths::inner_octets_max(Instant now, const IpAddress& gateway) {
  std::optional<std::size_t> mtu_octets = learned(now, gateway);
  if (options_.fixed_octets) mtu_octets = std::min(*options_.fixed_octets, mtu_octets.value_or(SIZE_MAX));
  if (!mtu_octets) return std::nullopt;
  const std::size_t outer_header = gateway.is_v4() ? kIpv4HeaderOctets : kIpv6HeaderOctets;
  return *mtu_octets - outer_header - kUdpHeaderOctets - wire::kDataHeaderOctets;
}

}  // namespace amt
