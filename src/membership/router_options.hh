#pragma once
/// The options and counters of a RouterState.

#include <cstdint>

#include "amt/time.hh"
#include "ip/address.hh"

namespace amt {

/// Values shared by all instances of one kind; must outlive them.
struct RouterOptions {
  std::uint8_t robustness = 2;
  Duration query_interval = std::chrono::seconds(125);
  /// For state timers; at least 10 s on AMT (R-5.3.3.7-e).
  Duration query_response_interval = std::chrono::seconds(10);
  Duration last_member_query_interval = std::chrono::seconds(1);
  /// True on an AMT tunnel and a point-to-point pseudo-interface: one reporter, no queries; sources that a query would
  /// name end at once (I-e, I-f). False on a LAN: group-specific queries come out of `poll_query`.
  bool single_reporter = true;
  /// On a LAN, false where another router is the querier: no queries are sent, and groups that hosts leave end when
  /// that router's queries lower the timers, or by age.
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

}  // namespace amt
