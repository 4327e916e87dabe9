#pragma once
/// The inside of `Relay`; each procedure has a file of its own.

#include <algorithm>
#include <array>
#include <optional>
#include <vector>

#include "base/assert.hh"
#include "base/random.hh"
#include "ip/rate_limit.hh"
#include "relay/deadline_heap.hh"
#include "relay/gateway_fields.hh"
#include "relay/refusal_log.hh"
#include "relay/relay.hh"
#include "relay/response_mac.hh"
#include "relay/tunnel_accounts.hh"
#include "relay/tunnel_store.hh"

namespace amt {

struct Relay::Impl {
  using Outcome = Result<void, RelayReject>;
  class Gate;

  Impl(const RelayOptions& relay_options, Random& random_source, Instant now);

  // relay.cc
  Outcome handle_datagram(Instant now, const TunnelEndpoint& from, const LocalAddress& to, Bytes datagram);
  Unexpected<RelayReject> reject(RelayReject reason);
  /// The same for a message that obeys the rules and exceeds a limit: it is logged, too. `count`: its amount.
  Unexpected<RelayReject> refuse(Instant now, const Refusal& refusal, std::size_t count = 1);
  /// The one answer of an input.
  ControlDatagram& transmit(const TunnelEndpoint& to, const LocalAddress& from);

  // reload.cc
  void set_options(Instant now, const RelayOptions& fresh);

  // discovery.cc
  Outcome handle_discovery(Instant now, const TunnelEndpoint& from, const LocalAddress& to, Bytes message);
  // request.cc
  void build_general_queries();
  [[nodiscard]] std::optional<Refusal> refusal_of_request(Instant now, const TunnelEndpoint& from,
                                                          wire::RequestNonce nonce);
  Outcome handle_request(Instant now, const TunnelEndpoint& from, const LocalAddress& to, Bytes message);
  void send_query(const TunnelEndpoint& from, const LocalAddress& to, const wire::Request& request, bool with_fields);
  // update.cc
  Outcome handle_update(Instant now, const TunnelEndpoint& from, const LocalAddress& to, Bytes message);
  /// The facts of an authenticated Update besides its report.
  struct UpdateFacts {
    LocalAddress local;
    bool ecn_capable = false;
    wire::RequestNonce nonce;
    wire::ResponseMac mac;
  };
  Outcome create_tunnel(Instant now, const TunnelEndpoint& from, const UpdateFacts& facts, const GroupMessage& report);
  Outcome update_tunnel(Instant now, TunnelId id, const UpdateFacts& facts, const GroupMessage& report);
  /// Feeds `changes`, one tunnel's, to the replication table, and clears them. `reason`: of channels that end.
  void publish_changes(Instant now, TunnelId id, EndReason reason);
  /// Gateways that send to `to` get no new tunnel.
  [[nodiscard]] bool refuses_newcomers(const LocalAddress& to) const {
    return is_draining || std::ranges::find(options.retired, to) != options.retired.end();
  }
  /// The reason in place of `reason`, a gateway's wish, while the relay drains.
  [[nodiscard]] EndReason by_gateway(EndReason reason) const { return is_draining ? EndReason::kMoved : reason; }
  RouterRejects apply_report(Instant now, TunnelRecord& record, const GroupMessage& message, Gate& gate);
  void count_partial_rejects(Instant now, const IpAddress& address, const RouterRejects& partial);
  // teardown.cc
  Outcome handle_teardown(Instant now, Bytes message);
  Outcome admit_teardown(Instant now, const wire::Teardown& teardown);
  /// Ends a tunnel at once: no more Data, its state is gone, the upstream membership changes.
  void end_tunnel(Instant now, TunnelId id, EndReason reason);
  bool shutdown(Instant now, EndReason reason);
  // expiry.cc
  void handle_timeout(Instant now);
  void schedule(TunnelId id);
  void handle_unreachable(Instant now, const TunnelEndpoint& endpoint, bool is_proven);
  [[nodiscard]] Instant next_deadline() const;
  // tunnel_state.cc
  bool restore_tunnel(Instant now, const TunnelState& state);
  void restore_use(Instant now, const TunnelUse& use);

  RelayOptions options;
  RouterOptions router_options;
  KeyedHash hash;
  MacSecrets secrets;
  GatewayFieldsChoice gateway_fields;
  TunnelStore tunnels;
  DeadlineHeap deadlines;
  ReplicationTable table;
  Counters<RelayCounter> counters;
  Counters<RelayReject> rejects;
  /// The log of refusals, which all workers share, may have a report.
  bool refusals_touched = false;
  bool is_draining = false;
  bool is_shut_down = false;
  /// None without events.
  std::optional<TunnelAccounts> accounts;
  /// After the shutdown: tunnels with lower numbers have ended.
  std::uint32_t ended_below = 0;

  /// The two General Queries, whole IP datagrams, by `wire::Protocol`.
  std::array<std::vector<std::byte>, 2> general_queries;

  std::optional<RelayTransmit> pending_transmit;
  /// After it; only a Query that is repeated without the gateway fields.
  std::optional<RelayTransmit> second_transmit;
  /// Scratch: the changes of the tunnel at hand.
  std::vector<FilterChange> changes;
  ChannelEdges edges;
};

}  // namespace amt
