#pragma once
/// Packets and octets of each channel of each tunnel. Only with `RelayOptions::with_events`.

#include <cstdint>
#include <deque>
#include <functional>
#include <span>
#include <vector>

#include "base/id_index.hh"
#include "base/keyed_hash.hh"
#include "base/slab.hh"
#include "forward/replication_table.hh"
#include "membership/source_filter.hh"
#include "relay/relay_event.hh"
#include "relay/relay_tunnel.hh"
#include "relay/tunnel_state.hh"

namespace amt {

/// The accounts of one worker's tunnels, and the events made from them. A channel of a tunnel is (S,G) where the tunnel
/// includes S, and (*,G) where it excludes. Nothing is allocated, and no event made, for a packet. For a tunnel with
/// one channel a packet costs nothing here: the tunnel's numbers are the channel's. With several, one look-up for each
/// message that is sent (`RelayTunnel::counts_channels`). Some 180 octets for each channel of each tunnel. Not
/// thread-safe.
class TunnelAccounts {
 public:
  /// `hash`: keyed, since gateways choose the channels. There is room for `tunnels_max` channels from the start, at
  /// most `kReservedMax`.
  TunnelAccounts(const KeyedHash& hash, std::size_t tunnels_max);
  static constexpr std::size_t kReservedMax = 1U << 20;

  using TunnelOf = std::function<const RelayTunnel&(TunnelId)>;

  void begin_tunnel(Instant now, TunnelId id, const RelayTunnel& tunnel);
  /// The tunnel's filters have changed. `reason`: of channels that end.
  void apply(Instant now, TunnelId id, RelayTunnel& tunnel, std::span<const FilterChange> changes, EndReason reason);
  /// The tunnel ends; all of its channels have ended before.
  void end_tunnel(Instant now, const RelayTunnel& tunnel, Instant since, EndReason reason);

  /// Of a tunnel that `counts_channels`: a packet from `source` to `group` was sent, or, with numbers below 0 as
  /// unsigned arithmetic has them, was not sent after all.
  void count(TunnelId id, const IpAddress& source, const IpAddress& group, std::uint64_t packets, std::uint64_t octets);

  /// Makes `kFlow` events of channels that a time-out is over for; looks at the channels with numbers from `from` on,
  /// at `numbers_max` at most. Where to go on; nothing: that was the last.
  [[nodiscard]] std::optional<std::uint32_t> report_flows(Instant now, std::uint32_t from, std::uint32_t numbers_max,
                                                          const FlowTimeouts& timeouts, const TunnelOf& tunnel_of);

  /// The numbers of those among `channels` that the tunnel has.
  void append_uses(TunnelId id, const RelayTunnel& tunnel, std::span<const Channel> channels,
                   std::vector<TunnelUse::ChannelUse>& out);
  /// The tunnel goes on with these numbers, its own and those of each channel.
  void restore(Instant now, TunnelId id, const RelayTunnel& tunnel, std::span<const TunnelUse::ChannelUse> channels);

  /// The events since the last call, in their order.
  [[nodiscard]] std::vector<RelayEvent> take_events();

 private:
  struct Use {
    TunnelId tunnel{};
    Channel channel;
    Instant since;
    std::uint64_t packets = 0;
    std::uint64_t octets = 0;
    FlowTold told{};
    /// When it was looked at: how many there had been, and since when.
    std::uint64_t seen_packets = 0;
    Instant seen_at{};
  };
  struct Tunnel {
    std::uint32_t channels = 0;
    /// The exclusive or of the numbers of its uses: of a single one the number itself.
    std::uint32_t uses = 0;
    /// Of a tunnel with one channel: the tunnel's numbers when the channel's were last brought up to date.
    std::uint64_t packets = 0;
    std::uint64_t octets = 0;
  };

  /// Of a tunnel with one channel: its numbers are the channel's.
  void bring_up_to_date(const RelayTunnel& tunnel, Tunnel& account);
  [[nodiscard]] std::uint64_t hash_of(TunnelId id, const Channel& channel) const;
  [[nodiscard]] std::optional<std::uint32_t> find(TunnelId id, const Channel& channel) const;
  void begin_channel(Instant now, TunnelId id, const RelayTunnel& tunnel, const Channel& channel);
  void end_channel(Instant now, TunnelId id, const RelayTunnel& tunnel, const Channel& channel, EndReason reason);

  KeyedHash hash_;
  Slab<Use> uses_;
  IdIndex by_channel_;
  /// By number of the tunnel.
  std::deque<Tunnel> tunnels_;
  std::vector<RelayEvent> events_;
};

}  // namespace amt
