#pragma once
/// The relay side of AMT (RFC 7450 §5.3).

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string_view>
#include <variant>
#include <vector>

#include "amt/endpoint.hh"
#include "amt/result.hh"
#include "amt/time.hh"
#include "base/outbound.hh"
#include "base/random.hh"
#include "forward/replication_table.hh"
#include "membership/router.hh"
#include "relay/refusal_log.hh"
#include "relay/relay_counters.hh"
#include "relay/relay_event.hh"
#include "relay/relay_options.hh"
#include "relay/relay_tunnel.hh"
#include "relay/tunnel_state.hh"
#include "wire/message.hh"

namespace amt {

struct RelayTransmit {
  TunnelEndpoint to;
  LocalAddress from;
  ControlDatagram datagram;
};
struct Deadline {
  Instant at;
};
/// For the log and for followers of events: once a minute for each reason.
struct RelayRefusal {
  RefusalReport report;
};
using RelayOutput = std::variant<Deadline, RelayTransmit, RelayRefusal>;

/// Decides, never sends (sans-I/O). One input, then `poll_output` until it returns the Deadline, then the next input.
/// Not thread-safe: one worker owns one Relay. `now` never runs backwards.
class Relay {
 public:
  Relay(const RelayOptions& options, Random& random, Instant now);
  ~Relay();

  /// Takes one AMT datagram (UDP payload). All output of the input before has been polled. `from`: the tunnel endpoint
  /// (§4.2.2). `to`: the local address it arrived at; the answer leaves from there (§5.3.3.2, §5.3.3.3). Error: why it
  /// was rejected, already counted; no tunnel and no membership has changed. Cost: a Request allocates nothing; the
  /// first accepted Update of an endpoint creates its tunnel.
  [[nodiscard]] Result<void, RelayReject> handle_datagram(Instant now, const TunnelEndpoint& from,
                                                          const LocalAddress& to, Bytes datagram);
  /// Prefetches the records that a message from this endpoint will read, in two steps: for a batch of messages, each
  /// step for all of them before the first is handled. Beside a million tunnels hardly anything is in a cache.
  void prefetch_index(const Endpoint& from) const;
  void prefetch_tunnel(const Endpoint& from) const;
  /// Bounded: of very many timers that are due at once some are left, and the deadline is then in the past. For a
  /// Teardown that names an endpoint of another worker: whether it shall go there. Error: why not, counted here; else
  /// it is counted where it goes. Only authentic messages pass, and of one address no more than
  /// `updates_per_second_max`, so that a flood of one worker does not reach the others.
  [[nodiscard]] Result<void, RelayReject> admit_teardown(Instant now, const wire::Teardown& teardown);
  void handle_timeout(Instant now);
  [[nodiscard]] RelayOutput poll_output();
  /// The next group whose merged membership differs from the last one polled: join or leave upstream. It may be polled
  /// at any time, for all groups or for some; changes in between become one change. Cost: the sources of the group, of
  /// all tunnels.
  [[nodiscard]] std::optional<FilterChange> poll_upstream();

  /// From now on new gateways are refused: Discovery is not answered, Queries have the L flag (§5.3.3.8), and no Update
  /// makes a tunnel. Tunnels that gateways end have moved (`EndReason::kMoved`).
  void set_draining(bool draining);

  /// From now on these of `options`: the addresses that Advertisements name, the groups allowed, the limits of a
  /// tunnel, ECN and strictness, and the keys if there were keys before. Tunnels keep their memberships; MACs of
  /// removed keys are refused, but for the last pair of each tunnel. The limits of all workers:
  /// `RelayShared::set_limits`.
  void set_options(Instant now, const RelayOptions& options);

  /// Ends all tunnels; the upstream leaves come out of `poll_upstream` (R-5.3.4-a), made one by one as they are polled.
  /// Every datagram that comes later is rejected, and no packet has a target. With events it ends some thousand tunnels
  /// a call. False: take the events, and call again.
  bool shutdown(Instant now, EndReason reason = EndReason::kShutDown);

  /// Makes events of channels that go on: see `TunnelAccounts::report_flows`. Nothing without events.
  [[nodiscard]] std::optional<std::uint32_t> report_flows(Instant now, std::uint32_t from, std::uint32_t numbers_max,
                                                          const FlowTimeouts& timeouts);
  /// Beginnings and ends since the last call, in order; nothing without `RelayOptions::with_events`.
  [[nodiscard]] std::vector<RelayEvent> take_events();

  /// Data path: the tunnels that get a packet from `source` to `group`. Valid until the next input.
  [[nodiscard]] ReplicationTargets targets(const IpAddress& source, const IpAddress& group) const;
  [[nodiscard]] RelayTunnel& tunnel(TunnelId id);
  /// Accounting of upstream datagrams, for `for_each_channel`: at (S,G) where a tunnel includes S, else at (*,G).
  /// Constant cost; once per batch of one channel will do.
  void count_channel(const IpAddress& source, const IpAddress& group, std::uint64_t packets, std::uint64_t octets);
  /// Accounting of packets to a tunnel that `counts_channels`, for events. The numbers are added modulo 2^64: the
  /// caller subtracts packets that failed.
  void count_sent(TunnelId id, const IpAddress& source, const IpAddress& group, std::uint64_t packets,
                  std::uint64_t octets);
  /// A gateway's port is gone: a series of ICMP Destination Unreachable for datagrams to `endpoint` (R-5.3.3.6.4-a,b),
  /// "fragmentation needed" not among them; one more than `unreachable_max` in a row, spread over `unreachable_span`,
  /// with no accepted Update between them, end the tunnel, if the last one is proven: it quotes octets that no outsider
  /// can know. The others may be forged.
  void handle_unreachable(Instant now, const TunnelEndpoint& endpoint, bool is_proven);

  /// The merged filter of each group, for an upstream that begins.
  void for_each_wanted(const std::function<void(const IpAddress& group, const SourceFilter& filter)>& visit) const;

  /// Any thread, and so may counters and rejects be read.
  [[nodiscard]] std::size_t tunnel_count() const;
  /// Port 0: at any port of that address, with any worker.
  [[nodiscard]] bool has_tunnel_at(const Endpoint& endpoint) const;
  /// Null: none. Valid until the next input.
  [[nodiscard]] const RelayTunnel* tunnel_at(const Endpoint& endpoint) const;
  [[nodiscard]] Counters<RelayCounter>& counters();
  [[nodiscard]] const Counters<RelayCounter>& counters() const;
  [[nodiscard]] const Counters<RelayReject>& rejects() const;

  /// Status. `expires`: when the endpoint ages out.
  void for_each_tunnel(const std::function<void(const RelayTunnel&, const RouterState&, Instant expires)>& visit) const;
  /// Channels with at least one tunnel: (S,G) for every included source, (*,G) where someone excludes.
  struct ChannelStatus {
    Channel channel;
    std::size_t tunnels = 0;
    std::uint64_t packets = 0;
    std::uint64_t bytes = 0;
  };
  void for_each_channel(const std::function<void(const ChannelStatus&)>& visit) const;

  /// The same a slice at a time: a tunnel that lives on between two slices is visited exactly once. Looks at the
  /// tunnels with numbers from `from` on, at `numbers_max` numbers at most, free ones too. Where to go on; nothing:
  /// that was the last. `visit` false: enough for now, this one comes again.
  struct TunnelView {
    std::uint32_t number = 0;  ///< used again when the tunnel has ended
    const RelayTunnel& tunnel;
    const RouterState& router;
    Instant since;    ///< its first Update
    Instant heard;    ///< its last Update
    Instant expires;  ///< unless another comes
  };
  [[nodiscard]] std::optional<std::uint32_t> visit_tunnels(std::uint32_t from, std::size_t numbers_max,
                                                           const std::function<bool(const TunnelView&)>& visit) const;
  /// As `ReplicationTable::visit_channels`.
  [[nodiscard]] bool visit_channels(ChannelCursor& cursor, std::size_t channels_max,
                                    const std::function<void(const ChannelStatus&)>& visit) const;
  /// Nothing: no tunnel wants it.
  [[nodiscard]] std::optional<ChannelStatus> channel(const Channel& channel) const;

  /// For another process that goes on with these tunnels: their states and their numbers, by slices as `visit_tunnels`.
  /// `visit` gets the same object again and again.
  [[nodiscard]] std::optional<std::uint32_t> visit_states(std::uint32_t from, std::size_t numbers_max,
                                                          const std::function<bool(const TunnelState&)>& visit) const;
  [[nodiscard]] std::optional<std::uint32_t> visit_uses(std::uint32_t from, std::size_t numbers_max,
                                                        const std::function<bool(const TunnelUse&)>& visit);
  /// Goes on with a tunnel of another process; before the first input. It has to fit this relay's limits, as if it
  /// asked now; its beginning makes no event and is not counted. False: it is there already, or does not fit.
  bool restore_tunnel(Instant now, const TunnelState& state);
  /// The numbers of a tunnel in the other process. Nothing where there is no such tunnel.
  void restore_use(Instant now, const TunnelUse& use);
  /// The numbers of a channel in the other process: at least these. Nothing where there is no such channel.
  void restore_channel(const ChannelStatus& status);
  /// The value of the counter of this name. Nothing where there is no such counter.
  void restore_counter(std::string_view name, std::uint64_t value);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace amt
