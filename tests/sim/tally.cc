#include "sim/tally.hh"

#include <array>

#include "base/assert.hh"

namespace amt::sim {

std::string_view counter_name(Event event) {
  switch (event) {
    case Event::kSeconds:
      return "simulated_seconds";
    case Event::kSteps:
      return "steps";
    case Event::kPacketsSent:
      return "packets_sent";
    case Event::kPacketsLost:
      return "packets_lost";
    case Event::kPacketsRepeated:
      return "packets_repeated";
    case Event::kPacketsCutOff:
      return "packets_cut_off";
    case Event::kPacketsTooBig:
      return "packets_too_big";
    case Event::kDelivered:
      return "data_accepted";
    case Event::kMarked:
      return "data_marked_ce";
    case Event::kMembershipChanges:
      return "membership_changes";
    case Event::kRebinds:
      return "nat_rebindings";
    case Event::kRelayRestarts:
      return "relay_restarts";
    case Event::kGatewayRestarts:
      return "gateway_restarts";
    case Event::kPartitions:
      return "partitions";
    case Event::kClockJumps:
      return "clock_jumps";
    case Event::kSleeps:
      return "suspensions";
    case Event::kAnycastMoves:
      return "anycast_moves";
    case Event::kNarrowPaths:
      return "narrow_paths";
    case Event::kForgeries:
      return "forged_datagrams";
    case Event::kReplays:
      return "replayed_datagrams";
    case Event::kRequestsReceived:
      return "requests_received";
    case Event::kUpdatesAccepted:
      return "updates_accepted";
    case Event::kSilences:
      return "early_requests";
    case Event::kRelayChanges:
      return "relay_changes";
    case Event::kNotWanted:
      return "data_not_wanted";
    case Event::kWrongNonces:
      return "wrong_nonces";
    case Event::kTunnelsCreated:
      return "tunnels_created";
    case Event::kTunnelsTornDown:
      return "tunnels_torn_down";
    case Event::kTunnelsExpired:
      return "tunnels_expired";
    case Event::kBadMacs:
      return "bad_macs";
    case Event::kLimited:
      return "queries_with_limit";
    case Event::kRateLimited:
      return "rate_limited";
    case Event::kSecretsChanged:
      return "secrets_changed";
    case Event::kStateChecks:
      return "relay_states_checked";
    case Event::kAgreements:
      return "agreements_checked";
    case Event::kDeliveriesChecked:
      return "deliveries_checked";
    case Event::kCount:
      break;
  }
  AMT_ASSERT(false);
}

void add(Tally& sum, const Tally& other) {
  for (std::size_t i = 0; i < Tally::kSize; ++i) sum.add(static_cast<Event>(i), other[static_cast<Event>(i)]);
}

}  // namespace amt::sim
