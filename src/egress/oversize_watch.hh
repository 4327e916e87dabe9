#pragma once
/// What operators are told of datagrams that do not fit into tunnels.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "amt/channel.hh"
#include "amt/endpoint.hh"
#include "amt/time.hh"

namespace amt {

struct OversizeReport {
  /// At most `OversizeWatch::kNamedMax` of them.
  std::vector<Channel> channels;
  bool has_more = false;
  /// Of one of these datagrams, and the most that fits towards that gateway.
  std::size_t inner_octets = 0;
  std::size_t inner_octets_max = 0;
  Endpoint gateway;
  /// Since the report before, of all channels.
  std::uint64_t copies = 0;

  /// A line for the log.
  [[nodiscard]] std::string to_string() const;
};

/// Counts copies that were dropped because they do not fit, and gives a report once a minute. Not thread-safe. A
/// dropped copy costs a few comparisons.
class OversizeWatch {
 public:
  static constexpr Duration kInterval = std::chrono::minutes(1);
  static constexpr std::size_t kNamedMax = 3;

  void add(const Channel& channel, const Endpoint& gateway, std::size_t inner_octets, std::size_t inner_octets_max);
  /// The first at once, the next ones a minute apart, and none while everything fits.
  [[nodiscard]] std::optional<OversizeReport> poll_report(Instant now);

 private:
  OversizeReport open_;
  std::optional<Instant> next_;
};

}  // namespace amt
