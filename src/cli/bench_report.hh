#pragma once
/// The report of `amt bench`.

#include <string>

#include "amt/endpoint.hh"
#include "load/tally.hh"

namespace amt {

struct BenchReport {
  Endpoint relay;
  std::string task;
  std::size_t gateways = 0;
  std::size_t channels = 0;
  /// All gateways had an answer; else the times are from start to end.
  bool complete = false;
  Duration joining{};  ///< from the first Request until the last gateway had its first answer
  Duration total{};    ///< until they had to leave
  Duration cpu{};      ///< of this process
  /// At the end, and when the last gateway had its first answer.
  LoadTally tally;
  Counters<LoadCounter> at_complete;
  /// This side's own failures.
  std::uint64_t receive_drops = 0;
  std::uint64_t send_errors = 0;

  [[nodiscard]] std::string json() const;
  [[nodiscard]] std::string text() const;
  /// Requests that the relay did not serve, and its options that allow more; empty: it served all.
  [[nodiscard]] std::string shortfall() const;
  /// Of a run that goes on.
  [[nodiscard]] static std::string live_line(Duration since_start, const Counters<LoadCounter>& now,
                                             const Counters<LoadCounter>& before, Duration since_before);

 private:
  [[nodiscard]] double handshakes_per_second() const;
  [[nodiscard]] double per_second(LoadCounter counter) const;
};

}  // namespace amt
