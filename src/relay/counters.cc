#include "base/assert.hh"
#include "relay/relay_counters.hh"

namespace amt {

std::string_view counter_name(RelayCounter counter) {
  switch (counter) {
    case RelayCounter::kDiscoveriesReceived:
      return "discoveries_received";
    case RelayCounter::kAdvertisementsSent:
      return "advertisements_sent";
    case RelayCounter::kRequestsReceived:
      return "requests_received";
    case RelayCounter::kQueriesSent:
      return "queries_sent";
    case RelayCounter::kQueriesSentWithLimit:
      return "queries_sent_with_limit";
    case RelayCounter::kQueriesSentWithoutGatewayFields:
      return "queries_sent_without_gateway_fields";
    case RelayCounter::kUpdatesReceived:
      return "updates_received";
    case RelayCounter::kUpdatesAccepted:
      return "updates_accepted";
    case RelayCounter::kUpdatesWithoutRouterAlert:
      return "updates_without_router_alert";
    case RelayCounter::kTeardownsReceived:
      return "teardowns_received";
    case RelayCounter::kTeardownsAccepted:
      return "teardowns_accepted";
    case RelayCounter::kTunnelsCreated:
      return "tunnels_created";
    case RelayCounter::kTunnelsLeft:
      return "tunnels_left";
    case RelayCounter::kTunnelsTornDown:
      return "tunnels_torn_down";
    case RelayCounter::kTunnelsExpired:
      return "tunnels_expired";
    case RelayCounter::kTunnelsUnreachable:
      return "tunnels_unreachable";
    case RelayCounter::kTunnelsShutDown:
      return "tunnels_shut_down";
    case RelayCounter::kSecretsChanged:
      return "secrets_changed";
    case RelayCounter::kHandedOver:
      return "handed_over";
    case RelayCounter::kHandOverLost:
      return "hand_over_lost";
    case RelayCounter::kDataPacketsIn:
      return "data_packets_in";
    case RelayCounter::kDataPacketsNoListener:
      return "data_packets_no_listener";
    case RelayCounter::kDataMalformed:
      return "data_malformed";
    case RelayCounter::kDataPacketsSent:
      return "data_packets_sent";
    case RelayCounter::kDataBytesSent:
      return "data_bytes_sent";
    case RelayCounter::kDataSendErrors:
      return "data_send_errors";
    case RelayCounter::kDataTooBig:
      return "data_too_big";
    case RelayCounter::kTooBigReported:
      return "too_big_reported";
    case RelayCounter::kTooBigNotReported:
      return "too_big_not_reported";
    case RelayCounter::kIcmpUnproven:
      return "icmp_unproven";
    case RelayCounter::kIcmpProven:
      return "icmp_proven";
    case RelayCounter::kPathProbesSent:
      return "path_probes_sent";
    case RelayCounter::kDataHopLimitExceeded:
      return "data_hop_limit_exceeded";
    case RelayCounter::kDataOtherUpstream:
      return "data_other_upstream";
    case RelayCounter::kDataReturned:
      return "data_returned";
    case RelayCounter::kDataOverload:
      return "data_overload";
    case RelayCounter::kDataTunnelRate:
      return "data_tunnel_rate";
    case RelayCounter::kDataTotalRate:
      return "data_total_rate";
    case RelayCounter::kCount:
      break;
  }
  AMT_ASSERT(false);
}

std::string_view counter_name(RelayReject reject) {
  switch (reject) {
    case RelayReject::kEmpty:
      return "reject_empty";
    case RelayReject::kBadVersion:
      return "reject_bad_version";
    case RelayReject::kUnknownType:
      return "reject_unknown_type";
    case RelayReject::kBadLength:
      return "reject_bad_length";
    case RelayReject::kWrongRole:
      return "reject_wrong_role";
    case RelayReject::kNoAddressOfFamily:
      return "reject_no_address_of_family";
    case RelayReject::kRequestRateLimit:
      return "reject_request_rate_limit";
    case RelayReject::kDiscoveryRateLimit:
      return "reject_discovery_rate_limit";
    case RelayReject::kUpdateRateLimit:
      return "reject_update_rate_limit";
    case RelayReject::kAnswerPrefixRateLimit:
      return "reject_answer_prefix_rate_limit";
    case RelayReject::kAnswerRateLimit:
      return "reject_answer_rate_limit";
    case RelayReject::kBadMac:
      return "reject_bad_mac";
    case RelayReject::kInnerTruncated:
      return "reject_inner_truncated";
    case RelayReject::kInnerBadHeader:
      return "reject_inner_bad_header";
    case RelayReject::kInnerBadHeaderChecksum:
      return "reject_inner_bad_header_checksum";
    case RelayReject::kInnerFragment:
      return "reject_inner_fragment";
    case RelayReject::kInnerBadChecksum:
      return "reject_inner_bad_checksum";
    case RelayReject::kInnerBadHopLimit:
      return "reject_inner_bad_hop_limit";
    case RelayReject::kInnerBadDestination:
      return "reject_inner_bad_destination";
    case RelayReject::kInnerNoRouterAlert:
      return "reject_inner_no_router_alert";
    case RelayReject::kInnerNotMembership:
      return "reject_inner_not_membership";
    case RelayReject::kTunnelLimit:
      return "reject_tunnel_limit";
    case RelayReject::kTunnelPerAddressLimit:
      return "reject_tunnel_per_address_limit";
    case RelayReject::kTunnelPerPrefixLimit:
      return "reject_tunnel_per_prefix_limit";
    case RelayReject::kTunnelShareLimit:
      return "reject_tunnel_share_limit";
    case RelayReject::kUnknownTunnel:
      return "reject_unknown_tunnel";
    case RelayReject::kShutDown:
      return "reject_shut_down";
    case RelayReject::kGroupLimit:
      return "reject_group_limit";
    case RelayReject::kSourceLimit:
      return "reject_source_limit";
    case RelayReject::kChannelLimit:
      return "reject_channel_limit";
    case RelayReject::kChannelPerAddressLimit:
      return "reject_channel_per_address_limit";
    case RelayReject::kChannelPerPrefixLimit:
      return "reject_channel_per_prefix_limit";
    case RelayReject::kChannelShareLimit:
      return "reject_channel_share_limit";
    case RelayReject::kMembershipLimit:
      return "reject_membership_limit";
    case RelayReject::kGroupNotAllowed:
      return "reject_group_not_allowed";
    case RelayReject::kLinkScopeGroup:
      return "reject_link_scope_group";
    case RelayReject::kBadGroup:
      return "reject_bad_group";
    case RelayReject::kSsmExclude:
      return "reject_ssm_exclude";
    case RelayReject::kSsmOlderReport:
      return "reject_ssm_older_report";
    case RelayReject::kCount:
      break;
  }
  AMT_ASSERT(false);
}

std::string_view to_string(RelayReject reject) {
  constexpr std::string_view kPrefix = "reject_";
  return counter_name(reject).substr(kPrefix.size());
}

}  // namespace amt
