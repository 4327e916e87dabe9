#pragma once
/// What happened in a world: shows that a simulation was about something.

#include <cstdint>
#include <string_view>

#include "base/counters.hh"

namespace amt::sim {

enum class Event : std::uint8_t {
  kSeconds,  ///< of virtual time
  kSteps,
  // Packets
  kPacketsSent,
  kPacketsLost,
  kPacketsRepeated,
  kPacketsCutOff,
  kPacketsTooBig,
  kDelivered,
  kMarked,
  // Faults
  kMembershipChanges,
  kRebinds,
  kRelayRestarts,
  kGatewayRestarts,
  kPartitions,
  kClockJumps,
  kSleeps,
  kAnycastMoves,
  kNarrowPaths,
  kForgeries,
  kReplays,
  // What the machines counted
  kRequestsReceived,
  kUpdatesAccepted,
  kSilences,
  kRelayChanges,
  kNotWanted,
  kWrongNonces,
  kTunnelsCreated,
  kTunnelsTornDown,
  kTunnelsExpired,
  kBadMacs,
  kLimited,
  kRateLimited,
  kSecretsChanged,
  // Checks
  kStateChecks,        ///< a whole relay against what its tunnels want
  kAgreements,         ///< one gateway's membership against its relay's
  kDeliveriesChecked,  ///< one packet at one gateway: as often as it should
  kCount,
};
[[nodiscard]] std::string_view counter_name(Event event);

using Tally = Counters<Event>;
void add(Tally& sum, const Tally& other);

}  // namespace amt::sim
