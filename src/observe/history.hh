#pragma once
/// The last hour and day, for the plots of the page. Pure: the caller gives the time.

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "amt/time.hh"

namespace amt {

/// Since the start; but `clients` is how many there are now.
struct HistoryTotals {
  std::uint64_t bytes_in = 0;
  std::uint64_t bytes_out = 0;
  std::uint64_t clients = 0;
  std::uint64_t handshakes = 0;
  std::uint64_t losses = 0;
  std::uint64_t refusals = 0;
};

/// Rates a second of the last hour, and by minute of the last day: always 240 KB. Not thread-safe.
class History {
 public:
  enum class Span : std::uint8_t { kHour, kDay };
  static constexpr std::size_t kSeconds = 3600;
  static constexpr std::size_t kMinutes = 1440;

  /// `clients_name`: "gateways" or "memberships".
  explicit History(std::string_view clients_name) : clients_name_(clients_name) {}

  /// To be called about once a second. The first call gives no row.
  void add(Instant now, const HistoryTotals& totals);

  /// `{"interval_seconds":1,"next":N,"columns":[...],"rows":[[...],...]}`, oldest first. `after`: only rows that came
  /// after the answer in which `next` was this; 0: all.
  [[nodiscard]] std::string json(Span span, std::uint64_t after) const;

 private:
  /// bits in, bits out, clients, handshakes, losses, refusals
  using Row = std::array<std::uint64_t, 6>;
  struct Ring {
    explicit Ring(std::size_t max) : rows_max(max) {}
    void push(const Row& row);
    std::size_t rows_max;
    std::vector<Row> rows{};
    /// How many were ever pushed.
    std::uint64_t pushed = 0;
  };

  std::string_view clients_name_;
  bool has_before_ = false;
  Instant before_at_{};
  HistoryTotals before_{};
  Ring seconds_{kSeconds};
  Ring minutes_{kMinutes};
  /// Of the seconds since the last whole minute.
  Row minute_sum_{};
  std::size_t minute_seconds_ = 0;
};

}  // namespace amt
