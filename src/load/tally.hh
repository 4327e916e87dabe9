#pragma once
/// The measurements of a fleet of simulated gateways.

#include <cstdint>
#include <string_view>

#include "base/counters.hh"
#include "load/latency.hh"

namespace amt {

enum class LoadCounter : std::uint8_t {
  kRequestsSent,
  kRequestsRepeated,  ///< of these: because no Query came
  kQueriesReceived,
  kQueriesWithLimit,  ///< of these: with the L flag
  kHandshakes,        ///< Request, Query, Update
  kUpdatesSent,
  kUpdatesRepeated,  ///< of these: because no data of a joined channel came, or data of a left one still came
  kTeardownsSent,
  kChannelChanges,
  kJoins,        ///< a channel was asked for that was not asked for before
  kJoinsServed,  ///< of these: a packet of it came
  kBadAnswers,   ///< not understood, or not asked for
  kPackets,      ///< multicast datagrams of a channel that is wanted
  kBytes,        ///< octets of these, inner IP header included
  kUnwanted,     ///< of a channel that is not, as for a moment after a change
  kDamaged,      ///< not IP, or the UDP checksum is wrong
  kNumbered,     ///< of `kPackets`: packets of `amt send`
  kLost,         ///< numbers that were left out, between the first and the last that a gateway got
  kDuplicated,
  kReordered,
  kCount,
};
/// `requests_sent`.
[[nodiscard]] std::string_view counter_name(LoadCounter counter);

struct LoadTally {
  Counters<LoadCounter> counters;
  /// First Request to Query.
  LatencyHistogram handshake;
  /// Update to the first packet of the joined channel.
  LatencyHistogram join;
  /// `amt send` to here; where both read one clock, that is, on one machine.
  LatencyHistogram data;
};

}  // namespace amt
