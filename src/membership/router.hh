#pragma once
/// The router side of IGMPv3 and MLDv2 (RFC 3376 §6, RFC 3810 §7): the membership of the hosts behind one interface or
/// one tunnel.

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "amt/time.hh"
#include "ip/address.hh"
#include "membership/message.hh"
#include "membership/router_group.hh"
#include "membership/router_group_state.hh"
#include "membership/router_options.hh"

namespace amt {

/// Reception state of one interface or tunnel; both protocols may share one instance (groups of both families).
/// Pure: time is an argument. Small: 80 octets, with one group of one source in place and nothing on the heap. Not
/// thread-safe.
class RouterState {
 public:
  explicit RouterState(const RouterOptions& options);
  ~RouterState();
  RouterState(RouterState&&) noexcept;
  RouterState& operator=(RouterState&&) noexcept;

  /// Applies one message. Changes of the forwarded filters are appended to `changes` (at most one per group, in order
  /// of first touch); a refresh that changes nothing appends nothing. The `after` of EXCLUDE(X,Y) is EXCLUDE(Y) (P-d).
  /// `gate`: admits additions; null: all are admitted.
  RouterRejects handle_report(Instant now, const GroupReport& report, std::vector<FilterChange>& changes,
                              RouterGate* gate = nullptr);
  RouterRejects handle_older_report(Instant now, const OlderReport& report, std::vector<FilterChange>& changes,
                                    RouterGate* gate = nullptr);
  RouterRejects handle_leave(Instant now, const OlderLeave& leave, std::vector<FilterChange>& changes,
                             RouterGate* gate = nullptr);

  /// LAN mode: another router's specific query without the S flag: the timers of the group and sources that it names
  /// are lowered to `last_member_query_time` from now (RFC 3376 §6.6.1). Nothing ends before that.
  void handle_query(Instant now, const GroupQuery& query, Duration last_member_query_time);

  /// Runs every timer that is due: source timers, group timers, repeats of specific queries. Older-version timers need
  /// no call: they are compared when a message comes.
  void handle_timeout(Instant now, std::vector<FilterChange>& changes, RouterGate* gate = nullptr);
  [[nodiscard]] Instant next_deadline() const;

  /// LAN mode: the next group- or group-and-source-specific query to send now, if any (I-d).
  [[nodiscard]] std::optional<GroupQuery> poll_query();
  /// Forgets the specific queries that wait and all their repeats; lowered timers run on.
  void stop_queries();

  /// Every group with its timers; ascending. `visit` gets the same object again and again.
  void for_each_state(const std::function<void(const RouterGroupState& state)>& visit) const;
  [[nodiscard]] std::vector<RouterGroupState> states() const;
  /// Takes over the state that `for_each_state` of another RouterState gave, within this one's limits and by its
  /// options: a group that is there already, or that no message could have made, is left out, and no timer runs longer
  /// than one that starts now. Timers that are over are run by the next `handle_timeout`.
  RouterRejects restore(Instant now, std::span<const RouterGroupState> states, std::vector<FilterChange>& changes,
                        RouterGate* gate = nullptr);

  /// Forgets everything; each group's end is appended to `changes`. No gate is called.
  void clear(std::vector<FilterChange>& changes);

  [[nodiscard]] bool empty() const;
  [[nodiscard]] std::size_t group_count() const;
  /// As a `RouterGate` counts them. Cost: the groups.
  [[nodiscard]] std::size_t membership_count() const;
  /// Of one group.
  [[nodiscard]] std::size_t membership_count(const IpAddress& group) const;
  /// The filter of `group` now (EXCLUDE shows Y).
  [[nodiscard]] SourceFilter filter(const IpAddress& group) const;
  /// Every group, for status; ascending.
  void for_each_group(const std::function<void(const IpAddress& group, const SourceFilter& filter)>& visit) const;
  [[nodiscard]] bool has_group_in(const Prefix& groups) const;
  /// Those after `group` alone, until `visit` returns false. True: it has seen the last.
  bool for_each_group_after(const std::optional<IpAddress>& group,
                            const std::function<bool(const IpAddress& group, const SourceFilter& filter)>& visit) const;

 private:
  /// Of more than one group, and of a LAN.
  struct Many;
  class Update;

  [[nodiscard]] std::span<RouterGroup> groups();
  [[nodiscard]] std::span<const RouterGroup> groups() const;
  [[nodiscard]] RouterGroup* find(const IpAddress& group);
  [[nodiscard]] const RouterGroup* find(const IpAddress& group) const;
  /// Without state; there was none of this group.
  [[nodiscard]] RouterGroup& insert(const IpAddress& group);
  void erase(const RouterGroup& group);
  Many& make_many();
  /// Back to one in place, where that is enough.
  void fold();
  void find_deadline();
  /// The queue of queries about groups and sources that are left; null: no queries are sent.
  [[nodiscard]] QueryQueue* asker();

  /// The one group; nothing where there is none, or `many_`.
  RouterGroup only_;
  std::unique_ptr<Many> many_;
  const RouterOptions* options_;
};

}  // namespace amt
