#include "observe/row_order.hh"

#include <tuple>

namespace amt {
namespace {

/// By a number, the greatest first; equal ones by their address.
template <typename Row, typename Number, typename Address>
auto greatest_first(Number number, Address address) {
  return [number, address](const Row& a, const Row& b) {
    const auto of_a = number(a);
    const auto of_b = number(b);
    return of_a != of_b ? of_b < of_a : address(a) < address(b);
  };
}

}  // namespace

std::optional<TopRows<TunnelStatus>::Before> tunnel_order(SortKey key) {
  const auto address = [](const TunnelStatus& tunnel) { return tunnel.endpoint; };
  const auto by = [&](auto member) {
    return greatest_first<TunnelStatus>([member](const TunnelStatus& tunnel) { return tunnel.*member; }, address);
  };
  switch (key) {
    case SortKey::kAddress:
      return [](const TunnelStatus& a, const TunnelStatus& b) { return a.endpoint < b.endpoint; };
    case SortKey::kPackets:
      return by(&TunnelStatus::packets);
    case SortKey::kBytes:
      return by(&TunnelStatus::bytes);
    case SortKey::kGroups:
      return by(&TunnelStatus::group_count);
    case SortKey::kSince:
      return by(&TunnelStatus::since);
    case SortKey::kHeard:
      return by(&TunnelStatus::heard);
    case SortKey::kExpires:
      return by(&TunnelStatus::expires);
    case SortKey::kTunnels:
    case SortKey::kIdle:
      break;
  }
  return std::nullopt;
}

std::optional<TopRows<ChannelStatus>::Before> channel_order(SortKey key) {
  const auto address = [](const ChannelStatus& channel) { return std::tuple(channel.group, channel.source); };
  const auto by = [&](auto member) {
    return greatest_first<ChannelStatus>([member](const ChannelStatus& channel) { return channel.*member; }, address);
  };
  switch (key) {
    case SortKey::kAddress:
      return [address](const ChannelStatus& a, const ChannelStatus& b) { return address(a) < address(b); };
    case SortKey::kPackets:
      return by(&ChannelStatus::packets);
    case SortKey::kBytes:
      return by(&ChannelStatus::bytes);
    case SortKey::kTunnels:
      return by(&ChannelStatus::tunnels);
    case SortKey::kGroups:
    case SortKey::kSince:
    case SortKey::kHeard:
    case SortKey::kExpires:
    case SortKey::kIdle:
      break;
  }
  return std::nullopt;
}

std::optional<TopRows<MembershipStatus>::Before> membership_order(SortKey key) {
  const auto address = [](const MembershipStatus& membership) { return membership.group; };
  const auto by = [&](auto member) {
    return greatest_first<MembershipStatus>([member](const MembershipStatus& one) { return one.use.*member; }, address);
  };
  switch (key) {
    case SortKey::kAddress:
      return [](const MembershipStatus& a, const MembershipStatus& b) { return a.group < b.group; };
    case SortKey::kPackets:
      return by(&GroupUse::packets);
    case SortKey::kBytes:
      return by(&GroupUse::bytes);
    case SortKey::kIdle:
      return by(&GroupUse::idle);
    case SortKey::kGroups:
    case SortKey::kTunnels:
    case SortKey::kSince:
    case SortKey::kHeard:
    case SortKey::kExpires:
      break;
  }
  return std::nullopt;
}

}  // namespace amt
