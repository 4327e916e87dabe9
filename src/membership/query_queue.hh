#pragma once
/// Specific queries of a LAN on their way out, and a bound on how many may be caused. Only for this room.

#include <cstdint>
#include <deque>
#include <optional>

#include "membership/message.hh"

namespace amt {

/// A host that joins and leaves in turn causes a query each time, and one report can leave many groups. So queries are
/// admitted at a bounded rate. A query that is not admitted is not sent, and its timers are not lowered: the listener
/// that left ages out, and no listener that stays loses data.
class QueryQueue {
 public:
  /// On a LAN of 100 Mbit/s some 3 in a thousand.
  static constexpr std::int64_t kQueriesPerSecondMax = 500;
  /// The queries admitted at once: enough for a channel change of a large LAN.
  static constexpr std::int64_t kBurstMax = 1000;

  /// May a question be asked that takes `queries` messages, repeats included? They are paid for then. Refusals are
  /// counted.
  [[nodiscard]] bool admit(Instant now, std::size_t queries);
  /// Refusals since the last call.
  [[nodiscard]] std::uint32_t take_refusals();

  void push(GroupQuery query) { queries_.push_back(std::move(query)); }
  [[nodiscard]] std::optional<GroupQuery> pop();
  void clear() { queries_.clear(); }

 private:
  std::deque<GroupQuery> queries_;
  /// When all that was admitted would be through at the steady rate.
  Instant paid_until_{};
  std::uint32_t refusals_ = 0;
};

}  // namespace amt
