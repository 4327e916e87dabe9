#pragma once
/// The router side of IGMPv3 and MLDv2 (RFC 3376 §6, RFC 3810 §7): what the hosts behind one interface or one tunnel
/// want.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "amt/time.hh"
#include "ip/address.hh"
#include "membership/message.hh"

namespace amt {

/// Values shared by all instances of one kind; must outlive them.
struct RouterOptions {
  std::uint8_t robustness = 2;
  Duration query_interval = std::chrono::seconds(125);
  /// For state timers; at least 10 s on AMT (R-5.3.3.7-e).
  Duration query_response_interval = std::chrono::seconds(10);
  Duration last_member_query_interval = std::chrono::seconds(1);
  /// True on an AMT tunnel and a point-to-point pseudo-interface: one reporter, no queries; what would be asked about
  /// is dropped at once (CONFORMANCE I-e, I-f). False on a LAN: group-specific queries come out of `poll_query`.
  bool single_reporter = true;
  /// On a LAN, false where another router is the querier: nothing is asked about, and what hosts leave ends when that
  /// one's queries lower the timers, or by age.
  bool is_querier = true;
  std::size_t groups_max = 1024;
  /// Sources of a group that have a record, wanted and blocked ones alike. Over the limit additions are left out; a
  /// blocked source that is left out is forwarded (R-5.3.3.8-b, R-5.3.3.4-n).
  std::size_t sources_per_group_max = 256;
  SsmRange ssm;

  /// Group Membership Interval. On a tunnel robustness * query interval + query response interval (R-5.3.3.7-d). On a
  /// LAN one response interval more, as RFC 9776 §8.4 has it: another router takes over after RV * QI + QRI / 2, and
  /// hosts need not answer its first query before that plus QRI, when RFC 3376's interval may be over.
  [[nodiscard]] Duration group_membership_interval() const {
    return robustness * query_interval + (single_reporter ? 1 : 2) * query_response_interval;
  }
  /// RFC 3376 §8.13.
  [[nodiscard]] Duration older_host_present_interval() const {
    return robustness * query_interval + query_response_interval;
  }
};

/// Why part of a report had no effect; for counters.
struct RouterRejects {
  std::uint32_t link_scope_group = 0;           ///< I-o
  std::uint32_t not_multicast = 0;              ///< the group is no multicast address, or reserved (S-f)
  std::uint32_t exclude_of_ssm_group = 0;       ///< S-d
  std::uint32_t older_report_of_ssm_group = 0;  ///< S-e
  std::uint32_t groups_limit = 0;               ///< R-5.3.3.8-b
  std::uint32_t sources_limit = 0;
  std::uint32_t queries_limit = 0;  ///< leaves on a LAN that were not asked about; they end by age
};

/// Reception state of one interface or tunnel; both protocols may share one instance (groups of both families).
/// Pure: time is an argument. Small: an empty one is a pointer or two, and one group with one source is well under 300
/// octets. Not thread-safe.
class RouterState {
 public:
  explicit RouterState(const RouterOptions& options);
  ~RouterState();
  RouterState(RouterState&&) noexcept;
  RouterState& operator=(RouterState&&) noexcept;

  /// Applies one message. Changes of what is forwarded are appended to `changes` (at most one per group, in order of
  /// first touch); a refresh that changes nothing appends nothing. The `after` of EXCLUDE(X,Y) is EXCLUDE(Y) (P-d).
  RouterRejects handle_report(Instant now, const GroupReport& report, std::vector<FilterChange>& changes);
  RouterRejects handle_older_report(Instant now, const OlderReport& report, std::vector<FilterChange>& changes);
  RouterRejects handle_leave(Instant now, const OlderLeave& leave, std::vector<FilterChange>& changes);

  /// LAN mode: another router's specific query without the S flag: what it names is lowered to `last_member_query_time`
  /// from now (RFC 3376 §6.6.1). Nothing ends before that.
  void handle_query(Instant now, const GroupQuery& query, Duration last_member_query_time);

  /// Runs every timer that is due: source timers, group timers, repeats of specific queries. Older-version timers need
  /// no call: they are compared when a message comes.
  void handle_timeout(Instant now, std::vector<FilterChange>& changes);
  [[nodiscard]] Instant next_deadline() const;

  /// LAN mode: the next group- or group-and-source-specific query to send now, if any (I-d).
  [[nodiscard]] std::optional<GroupQuery> poll_query();
  /// Forgets the specific queries that wait and all their repeats; lowered timers run on.
  void stop_queries();

  /// Forgets everything; each group's end is appended to `changes`.
  void clear(std::vector<FilterChange>& changes);

  [[nodiscard]] bool empty() const;
  [[nodiscard]] std::size_t group_count() const;
  /// What is wanted of `group` now (EXCLUDE shows Y).
  [[nodiscard]] SourceFilter filter(const IpAddress& group) const;
  /// Every group, for status; ascending.
  void for_each_group(const std::function<void(const IpAddress& group, const SourceFilter& filter)>& visit) const;

 private:
  struct Impl;
  class Update;
  Impl& make_impl();

  /// None before the first message.
  std::unique_ptr<Impl> impl_;
  const RouterOptions* options_;
};

}  // namespace amt
