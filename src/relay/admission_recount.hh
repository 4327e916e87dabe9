#pragma once
/// For tests: the tunnels, memberships and channels of the relays of one `RelayShared`, counted from their state.

#include <map>
#include <set>
#include <span>

#include "ip/rate_limit.hh"
#include "relay/relay.hh"

namespace amt::relay_test {

/// Whether `admission` agrees with its relays exactly.
[[nodiscard]] inline bool agrees_with_recount(const Admission& admission, std::span<const Relay* const> relays) {
  Admission::Totals totals;
  std::set<Channel> channels;
  std::map<IpAddress, Admission::Usage> usages;
  for (const Relay* relay : relays) {
    relay->for_each_tunnel([&](const RelayTunnel& tunnel, const RouterState& router, Instant) {
      const std::size_t memberships = router.membership_count();
      ++totals.tunnels;
      totals.memberships += memberships;
      Admission::Usage& usage = usages[subscriber_of(tunnel.endpoint.address).address];
      ++usage.tunnels;
      usage.memberships += static_cast<std::uint32_t>(memberships);
    });
    relay->for_each_channel([&](const Relay::ChannelStatus& status) {
      channels.insert(status.channel);
      ++totals.channel_holders;
    });
  }
  totals.channels = channels.size();
  totals.subscribers = usages.size();
  for (const auto& [address, usage] : usages) {
    if (admission.usage_of(address) != usage) return false;
  }
  return admission.totals() == totals;
}

}  // namespace amt::relay_test
