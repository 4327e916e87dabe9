#pragma once
/// Private to the room: the state that the procedures of RFC 7450 §5.2.3 share.

#include <deque>

#include "gateway/flow_watch.hh"
#include "gateway/gateway.hh"
#include "gateway/known_flow.hh"
#include "gateway/reception.hh"
#include "gateway/state.hh"

namespace amt {

struct Gateway::Impl {
  Impl(GatewayOptions given, Random& source);

  // gateway.cc
  bool set_membership(Instant now, const IpAddress& group, const SourceFilter& filter);
  void handle_timeout(Instant now);
  [[nodiscard]] Instant next_deadline() const;
  [[nodiscard]] bool subscribed() const;
  /// Does the update cycle of `protocol` have a reason to run?
  [[nodiscard]] bool active(wire::Protocol protocol) const;
  [[nodiscard]] bool active() const;
  /// The wait after try number `retry_count` + 1 (R-5.2.3.4.3-a, R-5.2.3.5.3-a).
  [[nodiscard]] Duration backoff(std::uint32_t retry_count);
  void emit_event(GatewayEvent::Kind kind, const Endpoint& endpoint, std::optional<IpAddress> source = std::nullopt);
  /// That hardly more come of a group at once; of a group that takes any source nobody knows.
  [[nodiscard]] static std::size_t flows_of(const SourceFilter& filter);
  /// Counts it.
  Unexpected<GatewayReject> reject(GatewayReject reason);

  // counters.cc
  [[nodiscard]] static GatewayReject reject_for(wire::ParseError error);
  [[nodiscard]] static GatewayReject reject_for(IpError error);
  [[nodiscard]] static GatewayReject reject_for(GroupMessageError error);

  // candidates.cc
  void begin_candidate(Instant now);
  void attach(Instant now, const Endpoint& relay);
  /// Leaves the relay's state behind in `previous`.
  void detach();
  void next_candidate(Instant now);
  void set_candidates(Instant now, std::vector<RelayCandidate> candidates);
  /// The relay, or the discovery address, does not answer.
  void give_up_relay(Instant now);
  /// The relay takes no new gateways.
  void leave_limited_relay(Instant now);

  // discovery.cc
  void start_discovery(Instant now, const Endpoint& to);
  void send_discovery(Instant now);
  void discovery_timeout(Instant now);
  Result<void, GatewayReject> handle_advertisement(Instant now, const Endpoint& from, Bytes message);

  // request.cc
  [[nodiscard]] gateway_state::Series new_series();
  /// One Request for each active protocol, under one series.
  void start_cycle(Instant now);
  /// `protocol` is due: alone, or together with the other one.
  void start_protocol(Instant now, wire::Protocol protocol);
  void ask(Instant now, wire::Protocol protocol, const gateway_state::Series& series);
  void send_request(Instant now, wire::Protocol protocol);
  void cycle_timeout(Instant now, wire::Protocol protocol);
  /// Someone now waits for data: no long waits.
  void hurry(Instant now, wire::Protocol protocol);

  // query.cc
  Result<void, GatewayReject> handle_query(Instant now, const Endpoint& from, Bytes message);
  void accept_query(Instant now, wire::Protocol protocol, const wire::MembershipQuery& query,
                    const GroupQuery& general);
  /// The gateway fields name another endpoint than before: Teardown of the old one.
  void compare_endpoint(Instant now, gateway_state::Attached& attached, const gateway_state::Session& fresh);

  // update.cc
  /// Sends the due reports of the hosts, under the sessions of their protocols.
  void flush_reports();
  void send_update(const gateway_state::Session& session, wire::Protocol protocol,
                   const std::vector<GroupRecord>& records);

  // teardown.cc
  void send_teardown(const Endpoint& to, const gateway_state::Session& session);
  void start_teardown(Instant now, const Endpoint& to, const gateway_state::Session& session);
  void teardown_timeout(Instant now);
  void shutdown(Instant now);

  // data.cc
  Result<DataPacket, GatewayReject> accept_data(Instant now, const Endpoint& from, Ecn outer_ecn, MutableBytes message,
                                                bool verify_transport);
  void count_data(Instant now, const FlowWatch::Flow& flow, std::size_t octets);
  /// The relay sends unwanted data of `group`: the leave got lost.
  void repeat_leave(Instant now, const IpAddress& group);

  // gateway_restore.cc
  /// What is kept, but for what the hosts want and what was heard of it.
  template <typename Io, typename Self>
  static void fields(Io& io, Self& self);
  void save(StateRecordWriter& out) const;
  void restore(Instant now, StateRecordReader& in);
  /// The hosts' filters have come from elsewhere: what follows from them.
  void follow_filters();
  /// No time is further away than one that begins now.
  void limit_times(Instant now);

  // silence.cc
  [[nodiscard]] Instant silence_deadline() const;
  [[nodiscard]] Instant missing_deadline() const;
  void silence_timeout(Instant now);
  [[nodiscard]] Duration new_lateness();

  GatewayOptions options;
  Random& random;
  std::array<HostMachine, 2> hosts;  ///< by protocol
  gateway_state::State state = gateway_state::Idle{};
  std::size_t candidate = 0;
  std::uint32_t rounds = 0;  ///< through all candidates, without success
  /// A relay that was left and not yet replaced by another.
  std::optional<gateway_state::RelayKnowledge> previous;
  std::optional<gateway_state::TeardownRepeats> teardown_repeats;
  /// The relay that the last Update went to: the only source of data (R-5.2.3.3-b).
  std::optional<Endpoint> data_source;
  Reception reception;
  /// By protocol: the flow of one does not show a loss of the other.
  std::array<FlowWatch, 2> watches;
  /// Only data leaves it as it is: every other input may change it.
  KnownFlows known_flows;
  /// Flows of the wanted groups.
  std::size_t flows_expected = 0;
  /// By which the next early Request is late (GatewayOptions::silence_span).
  Duration lateness;
  /// Early Requests for new memberships of which no data has come.
  Retries missing;
  /// Repeated reports for groups whose unwanted data still arrives.
  Retries unwanted;
  std::deque<GatewayOutput> outputs;
  Counters<GatewayCounter> counters;
  EcnPair last_ecn_mismatch;
  Counters<GatewayReject> rejects;
};

}  // namespace amt
