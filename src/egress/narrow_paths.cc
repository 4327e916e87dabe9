#include "egress/narrow_paths.hh"

#include <algorithm>
#include <cstdint>

#include "ip/datagram.hh"
#include "wire/message.hh"

namespace amt {
namespace {

std::size_t link_minimum(const IpAddress& gateway) {
  return gateway.is_v4() ? NarrowPaths::kMtuMinV4 : NarrowPaths::kMtuMinV6;
}

std::size_t inner_octets(const IpAddress& gateway, std::size_t mtu_octets) {
  const std::size_t outer_header = gateway.is_v4() ? kIpv4HeaderOctets : kIpv6HeaderOctets;
  return mtu_octets - outer_header - kUdpHeaderOctets - wire::kDataHeaderOctets;
}

}  // namespace

template <typename Key>
const NarrowPaths::Entry* NarrowPaths::Table<Key>::find(Instant now, const Key& key) const {
  if (entries_.empty()) return nullptr;
  const auto known = entries_.find(key);
  return known == entries_.end() || known->second.until <= now ? nullptr : &known->second;
}

template <typename Key>
void NarrowPaths::Table<Key>::put(const Key& key, const Entry& entry) {
  const auto [known, is_new] = entries_.try_emplace(key, entry);
  known->second = entry;
  if (!is_new) return;
  order_.push_back(key);
  if (order_.size() <= kPathsMax) return;
  entries_.erase(order_.front());
  order_.pop_front();
}

template <typename Key>
void NarrowPaths::Table<Key>::forget_old(Instant now) {
  while (!order_.empty() && entries_.at(order_.front()).until <= now) {
    entries_.erase(order_.front());
    order_.pop_front();
  }
}

std::size_t NarrowPaths::at_least(const IpAddress& gateway, std::size_t mtu_octets) const {
  return std::max({mtu_octets, link_minimum(gateway), options_.min_octets.value_or(0)});
}

void NarrowPaths::learn_link(Instant now, const IpAddress& gateway, std::size_t mtu_octets) {
  links_.put(gateway, {std::max(mtu_octets, link_minimum(gateway)), now + kLifetime});
}

void NarrowPaths::learn_path(Instant now, const Endpoint& gateway, std::size_t mtu_octets) {
  if (options_.fixed_octets || !options_.dynamic) return;
  mtu_octets = at_least(gateway.address, mtu_octets);
  // RFC 8201 §4: a Packet Too Big never raises the estimate.
  if (const Entry* known = paths_.find(now, gateway)) mtu_octets = std::min(mtu_octets, known->mtu_octets);
  paths_.put(gateway, {mtu_octets, now + kLifetime});
}

std::optional<std::size_t> NarrowPaths::octets_to_ask(Instant now, const Endpoint& gateway,
                                                      std::size_t claimed_octets) const {
  if (options_.fixed_octets || !options_.dynamic) return std::nullopt;
  claimed_octets = at_least(gateway.address, claimed_octets);
  const Entry* const path = paths_.find(now, gateway);
  const Entry* const link = links_.find(now, gateway.address);
  if (path != nullptr && path->mtu_octets <= claimed_octets) return std::nullopt;
  if (link != nullptr && link->mtu_octets <= claimed_octets) return std::nullopt;
  return claimed_octets + 1;
}

std::optional<NarrowPaths::Room> NarrowPaths::room_among(Instant now, const Endpoint& gateway) const {
  const Entry* const link = links_.find(now, gateway.address);
  const Entry* const path = paths_.find(now, gateway);
  if (!options_.fixed_octets && link == nullptr && path == nullptr) return std::nullopt;
  const std::size_t own =
      std::min(options_.fixed_octets.value_or(SIZE_MAX), link != nullptr ? link->mtu_octets : SIZE_MAX);
  const std::size_t mtu_octets = std::min(own, path != nullptr ? path->mtu_octets : SIZE_MAX);
  Room room;
  room.inner_octets_max = inner_octets(gateway.address, mtu_octets);
  room.told_octets_max = options_.tell_sources ? room.inner_octets_max : inner_octets(gateway.address, own);
  if (path != nullptr && path->until - now <= kAskBefore) room.octets_to_ask = path->mtu_octets + 1;
  return room;
}

void NarrowPaths::forget_old(Instant now) {
  links_.forget_old(now);
  paths_.forget_old(now);
}

}  // namespace amt
