#include "relay/relay_restorer.hh"

#include <algorithm>
#include <utility>

namespace amt {

RelayRestorer::RelayRestorer(Target target, Instant now) : target_(std::move(target)), now_(now) {}

void RelayRestorer::visit(const SharedState&) {}

void RelayRestorer::visit(const TunnelState& tunnel) {
  const bool is_local = std::ranges::find(target_.addresses, tunnel.local) != target_.addresses.end();
  const bool is_restored = is_local && relay_of(tunnel.endpoint).restore_tunnel(now_, tunnel);
  ++(is_restored ? restored_ : left_out_);
}

void RelayRestorer::visit(const TunnelUse& use) { relay_of(use.endpoint).restore_use(now_, use); }

void RelayRestorer::visit(const Relay::ChannelStatus& channel) { channels_.push_back(channel); }

void RelayRestorer::finish() {
  // Each worker counts the data of its own tunnels, and its tunnels may be others than in the process before.
  for (const Relay::ChannelStatus& channel : channels_) {
    for (Relay* const relay : target_.relays) relay->restore_channel(channel);
  }
  channels_.clear();
}

void RelayRestorer::visit(std::string_view counter, std::uint64_t value) {
  target_.relays.front()->restore_counter(counter, value);
}

}  // namespace amt
