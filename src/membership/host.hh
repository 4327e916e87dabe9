#pragma once
/// The host side of IGMPv3 and MLDv2 (RFC 3376 §5, RFC 3810 §6) for one protocol on one interface: turns an interface's
/// reception state into reports.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "amt/time.hh"
#include "base/random.hh"
#include "base/state_record.hh"
#include "ip/address.hh"
#include "membership/message.hh"

namespace amt {

struct HostOptions {
  Family family = Family::kIpv4;
  /// Largest IP datagram of a report, with room for one record of one source at least; records are split by H-e.
  std::size_t report_octets_max = 1400;
  Duration unsolicited_report_interval = std::chrono::seconds(1);
  /// Until a query names another.
  std::uint8_t robustness = 2;
  SsmRange ssm;
};

/// Decides, never sends: one input, then `poll_report` until it gives nothing. Not thread-safe.
///
/// SSM groups never appear in IS_EX or TO_EX records (S-b): an EXCLUDE filter for one is a caller's error that
/// `set_filter` refuses (S-c).
class HostMachine {
 public:
  HostMachine(HostOptions options, Random& random);
  ~HostMachine();
  HostMachine(HostMachine&&) noexcept;
  HostMachine& operator=(HostMachine&&) noexcept;

  /// The reception state of `group` is now `filter`; INCLUDE({}) leaves. A change is reported at once and robustness -
  /// 1 times more (H-b, H-c). False: refused (link scope, other family, EXCLUDE of an SSM group) and nothing changed.
  [[nodiscard]] bool set_filter(Instant now, const IpAddress& group, const SourceFilter& filter);

  /// A General Query: current-state records of all groups are due at once (H-d; R-5.2.1-f allows to ignore the delay);
  /// the robustness variable is taken over (H-g). The first one after `discard_pending` reports changes that no router
  /// has heard, so its answer is repeated as a change is. `delay_max` > 0: due at a random time within it (LAN side).
  void handle_general_query(Instant now, std::uint8_t robustness, Duration delay_max = Duration::zero());
  /// Group- and group-and-source-specific queries (router-mode upstream), RFC 3376 §5.2 rules 3 to 5.
  void handle_specific_query(Instant now, const GroupQuery& query);

  /// Unwanted data of `group` still arrives: the filter is reported again at once, as a Filter-Mode-Change record. For
  /// a group of which nothing is wanted that is a leave.
  void restate(Instant now, const IpAddress& group);

  /// There is no router to report to: pending reports and repeats are dropped. Until the next General Query a change
  /// only updates the state, and nothing becomes due (R-5.2.3.6.1-b).
  void discard_pending();

  void handle_timeout(Instant now);
  [[nodiscard]] Instant next_deadline() const;

  /// The records of the next report that is due, packed up to `report_octets_max`; nothing when none is due.
  [[nodiscard]] std::optional<std::vector<GroupRecord>> poll_report();

  /// For another machine, which goes on: the filters, and what of them is still to be reported.
  void save(StateRecordWriter& out) const;
  /// Of a machine that knows nothing yet. What cannot be makes `in` bad; this machine is not to be used then.
  void restore(Instant now, StateRecordReader& in);

  /// Nothing is wanted of any group; reports of leaves may still be due.
  [[nodiscard]] bool empty() const;
  [[nodiscard]] SourceFilter filter(const IpAddress& group) const;
  void for_each_group(const std::function<void(const IpAddress& group, const SourceFilter& filter)>& visit) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace amt
