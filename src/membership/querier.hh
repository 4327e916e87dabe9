#pragma once
/// The querier and router of one real link for one protocol (RFC 3376 §6, RFC 3810 §7): asks, listens, and gives way to
/// a querier with a lower address. Speaks IGMPv3 or MLDv2, to hosts of every version.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "base/counters.hh"
#include "base/state_record.hh"
#include "ip/address.hh"
#include "membership/router.hh"

namespace amt {

struct QuerierOptions {
  Family family = Family::kIpv4;
  /// 1 to 7.
  std::uint8_t robustness = 2;
  Duration query_interval = std::chrono::seconds(125);
  /// Taken as the query interval where it is longer: RFC 3376 §8.3: "must be less than the [Query Interval]".
  Duration query_response_interval = std::chrono::seconds(10);
  /// In the startup queries. After a start nothing is known, and every host waits for its answer to be heard; RFC 3376
  /// §8.3 leaves the interval to the operator.
  Duration startup_response_interval = std::chrono::milliseconds(500);
  Duration last_member_query_interval = std::chrono::seconds(1);
  std::size_t groups_max = 1024;
  std::size_t sources_per_group_max = 256;
  SsmRange ssm{};
};

/// Why a datagram had no effect.
enum class QuerierReject : std::uint8_t {
  kBadHeader,           ///< no whole IP datagram, or its header is damaged
  kOtherFamily,         ///< not of this protocol's family
  kNotMembership,       ///< no IGMP or MLD message of a known type (I-m)
  kFragment,            ///< X-4.3-b
  kTruncated,           ///< I-n
  kBadChecksum,         ///< of the message
  kBadHopLimit,         ///< TTL / Hop Limit is not 1
  kBadDestination,      ///< not the destination that the protocol demands
  kNoRouterAlert,       ///< I-k, and RFC 3376 §9.2 for IGMP
  kBadSource,           ///< MLD from anything but a link-local address (I-k); a multicast source
  kOwnQuery,            ///< from our own address
  kQueryOfNoAddress,    ///< an IGMP query from 0.0.0.0, as snooping switches send: it takes part in no election
  kQueryFromElsewhere,  ///< from outside the link's subnets, or from an address that no host has
  kCount,
};
/// Named `reject_no_router_alert`.
[[nodiscard]] const CounterInfo& counter_info(QuerierReject reject);

enum class QuerierCounter : std::uint8_t {
  kGeneralQueriesSent,
  kSpecificQueriesSent,
  kReportsReceived,       ///< IGMPv3, MLDv2
  kOlderReportsReceived,  ///< IGMPv1, IGMPv2, MLDv1
  kLeavesReceived,        ///< IGMPv2 leave, MLDv1 done
  kQueriesReceived,       ///< of other routers
  kOlderQueriesReceived,  ///< among them of an older version: that router should be set to the newer one
  kQuerierChanges,        ///< another took over, or we did again
  kLinkScopeGroups,       ///< records without effect from here on: I-o
  kGroupsNotMulticast,
  kExcludesOfSsmGroups,      ///< S-d
  kOlderReportsOfSsmGroups,  ///< S-e
  kGroupsLimit,
  kSourcesLimit,
  kQueriesLimit,               ///< leaves that were not asked about: the listener ages out instead
  kReportsWithoutRouterAlert,  ///< IGMP reports and leaves that were accepted without Router Alert
  kCount,
};
[[nodiscard]] const CounterInfo& counter_info(QuerierCounter counter);

/// Decides, never sends: one input, then `poll_query` until it gives nothing, then wait until `next_deadline` or the
/// next datagram. `now` never runs backwards. Not thread-safe.
///
/// The source of an IGMP report is not checked (RFC 3376 §4.2.13 demands that 0.0.0.0 counts), that of a query is: one
/// forged datagram would take the querier's role. Whether anybody forwards is not known here: where `is_querier` is
/// false that is the other router's task (P-g).
///
/// Departure: RFC 3376 §7.3.1 wants a switch to query as IGMPv1 or IGMPv2 for links with routers that know no better.
/// There is none; such a router is counted, and its queries count in the election.
class Querier {
 public:
  Querier(QuerierOptions options, Instant now);

  /// Where our queries come from and what the election compares: an IPv4 address of the interface, or its IPv6
  /// link-local address. No address, as at the start: this querier is silent, and any other router wins. The first one
  /// starts the querier (RFC 3376 §8.6, §8.7).
  void set_address(Instant now, const std::optional<IpAddress>& address);

  /// More of the link can be heard than before: queries are sent at once, as at the start. The known state stays.
  void ask_anew(Instant now);

  /// The interface's addresses of this family with their subnets; none: not known, and queries count from everywhere.
  /// A querier that could not have been elected among them loses the role.
  void set_subnets(Instant now, std::vector<Prefix> addresses);

  /// One whole IP datagram seen on the link, in either direction. Changes of what the link wants are appended to
  /// `changes`. Error: why it had no effect; counted.
  Result<void, QuerierReject> handle_datagram(Instant now, Bytes datagram, std::vector<FilterChange>& changes);
  void handle_timeout(Instant now, std::vector<FilterChange>& changes);
  /// Due at once after `set_address`.
  [[nodiscard]] Instant next_deadline() const;

  /// The next query to send on the link now: a whole IP datagram with Router Alert and TTL / Hop Limit 1, to the
  /// all-systems address or to the group asked about.
  [[nodiscard]] std::optional<std::vector<std::byte>> poll_query();

  /// For another one that goes on with it, under the same options or others.
  void save(StateRecordWriter& out) const;
  /// Of one that knows nothing yet: what is wanted is appended to `changes`. Nothing is asked that would not have been
  /// asked anyhow. What cannot be makes `in` bad.
  void restore(Instant now, StateRecordReader& in, std::vector<FilterChange>& changes);

  /// Forgets all listeners; each group's end is appended to `changes`. For a link that is gone.
  void clear(std::vector<FilterChange>& changes);

  [[nodiscard]] bool is_querier() const { return !other_; }
  /// Us or the other one; none while we have no address.
  [[nodiscard]] std::optional<IpAddress> querier() const { return other_ ? other_ : address_; }
  [[nodiscard]] std::size_t group_count() const { return state_.group_count(); }
  /// The link's filter of `group` now.
  [[nodiscard]] SourceFilter filter(const IpAddress& group) const { return state_.filter(group); }
  /// Every group, ascending.
  void for_each_group(const std::function<void(const IpAddress& group, const SourceFilter& filter)>& visit) const {
    state_.for_each_group(visit);
  }
  [[nodiscard]] const Counters<QuerierCounter>& counters() const { return counters_; }
  [[nodiscard]] const Counters<QuerierReject>& rejects() const { return rejects_; }
  /// The source of the last datagram, accepted or not; unspecified where it could not be read.
  [[nodiscard]] const IpAddress& last_source() const { return last_source_; }

 private:
  Result<void, QuerierReject> handle_message(Instant now, Bytes datagram, std::vector<FilterChange>& changes);
  Result<void, QuerierReject> handle_query(Instant now, const IpAddress& source, const GroupQuery& query);
  /// What is left of it is the state of the groups.
  template <typename Io, typename Self>
  static void fields(Io& io, Self& self);
  void give_way(Instant now, const IpAddress& source, const GroupQuery& query);
  void take_over(Instant now);
  /// Whether specific queries go out has to follow each change of address and role.
  void refresh_role();
  [[nodiscard]] bool is_asking() const { return is_querier() && address_; }
  [[nodiscard]] bool may_be_querier(const IpAddress& source) const;
  [[nodiscard]] bool is_own(const IpAddress& address) const;
  [[nodiscard]] GroupQuery general_query() const;
  void note(const RouterRejects& rejects);

  QuerierOptions options_;
  /// The options in force: another querier's robustness and query interval are taken over. On the heap, because
  /// `state_` points at it.
  std::unique_ptr<RouterOptions> current_;
  RouterState state_;
  std::optional<IpAddress> address_;
  std::vector<Prefix> subnets_;
  /// Destinations by which older reports reach this interface.
  std::vector<IpAddress> own_addresses_;
  IpAddress last_source_;
  /// The other router that is the querier, and its Other Querier Present timer.
  std::optional<IpAddress> other_;
  Instant other_present_until_ = kNoDeadline;
  Instant next_general_query_ = kNoDeadline;
  unsigned startup_queries_left_ = 0;
  bool is_general_query_due_ = false;
  bool is_startup_query_ = false;
  Counters<QuerierCounter> counters_;
  Counters<QuerierReject> rejects_;
};

}  // namespace amt
