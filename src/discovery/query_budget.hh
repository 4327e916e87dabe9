#pragma once
/// How many DNS queries may be sent (RFC 8777 §3.2.2).

#include <array>
#include <cstddef>

#include "amt/time.hh"

namespace amt {

/// "no more than 10 queries for any 100-millisecond period": wherever a window of that length is laid. Not thread-safe.
class QueryBudget {
 public:
  static constexpr std::size_t kQueriesMax = 10;
  static constexpr Duration kPeriod = std::chrono::milliseconds(100);

  /// When the next query may be sent; not after `now`: at once.
  [[nodiscard]] Instant next_allowed() const;
  /// One query was sent; only when `next_allowed` permits.
  void spend(Instant now);

 private:
  /// When the last queries were sent, the oldest at `oldest_`.
  std::array<Instant, kQueriesMax> sent_ = [] {
    std::array<Instant, kQueriesMax> never{};
    never.fill(Instant::min());
    return never;
  }();
  std::size_t oldest_ = 0;
};

}  // namespace amt
