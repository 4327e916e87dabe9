#pragma once
/// The membership of the host behind a gateway's pseudo-interface: the querier and router side of IGMP and MLD there
/// (RFC 4605 §4; P-a, P-k).

#include <cstdint>
#include <functional>
#include <vector>

#include "base/counters.hh"
#include "base/state_record.hh"
#include "membership/router.hh"

namespace amt {

/// A request of an application that was refused.
enum class HostJoinRefusal : std::uint8_t {
  kAnySourceJoinsOfSsmGroups,
  kOlderJoinsOfSsmGroups,  ///< by IGMPv1, IGMPv2 or MLDv1, whose reports name no source
  kOverLimit,
  kCount,
};
[[nodiscard]] const CounterInfo& counter_info(HostJoinRefusal refusal);

/// Decides, never sends; time is an argument. One host answers here: the kernel that owns the interface, so a leave
/// takes effect at once. Not thread-safe.
class PseudoInterface {
 public:
  /// How often the kernel is asked. It loses no reports, so this only repairs the state after a restart or an overflow.
  static constexpr Duration kQueryInterval = std::chrono::seconds(60);

  explicit PseudoInterface(Instant now);

  /// One IP datagram that the kernel sent out of the interface; anything but a membership report is ignored.
  void handle_datagram(Instant now, Bytes datagram, std::vector<FilterChange>& changes);
  /// Runs timers; General Queries that are due are appended to `queries` as whole IP datagrams.
  void handle_timeout(Instant now, std::vector<FilterChange>& changes, std::vector<std::vector<std::byte>>& queries);
  [[nodiscard]] Instant next_deadline() const;
  /// The interface went down: nothing is wanted any more.
  void clear(std::vector<FilterChange>& changes) { state_.clear(changes); }
  /// It is up again: the kernel is asked at once.
  void ask_anew(Instant now) { next_query_ = now; }
  /// Every group, ascending.
  void for_each_group(const std::function<void(const IpAddress& group, const SourceFilter& filter)>& visit) const {
    state_.for_each_group(visit);
  }

  [[nodiscard]] const Counters<HostJoinRefusal>& refused() const { return refused_; }

  /// For another one that goes on with it.
  void save(StateRecordWriter& out) const;
  /// Of one that knows nothing yet: what is wanted is appended to `changes`. What cannot be makes `in` bad.
  void restore(Instant now, StateRecordReader& in, std::vector<FilterChange>& changes);

 private:
  void note(const RouterRejects& rejects);

  RouterOptions options_;
  RouterState state_;
  Instant next_query_;
  Counters<HostJoinRefusal> refused_;
};

}  // namespace amt
