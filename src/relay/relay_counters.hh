#pragma once
/// The counters of a relay.

#include <cstdint>
#include <string_view>

#include "base/counters.hh"

namespace amt {

/// The counters of a relay, besides its rejects. src/relay/counters.cc describes each.
enum class RelayCounter : std::uint8_t {
  kDiscoveriesReceived,
  kAdvertisementsSent,
  kRequestsReceived,
  kQueriesSent,
  kQueriesSentWithLimit,             ///< of these: with the L flag
  kQueriesSentWithoutGatewayFields,  ///< of these: without the G flag
  kUpdatesReceived,
  kUpdatesAccepted,
  kUpdatesWithoutRouterAlert,  ///< of these: accepted without Router Alert (X-4.3-a)
  kTeardownsReceived,
  kTeardownsAccepted,
  kTunnelsCreated,
  kTunnelsLeft,         ///< ended by an Update: the last membership went
  kTunnelsTornDown,     ///< ended by a Teardown
  kTunnelsExpired,      ///< ended by silence
  kTunnelsUnreachable,  ///< ended by ICMP errors
  kTunnelsMoved,        ///< left or torn down while the relay drained
  kTunnelsDrained,      ///< ended by the end of a drain
  kTunnelsShutDown,     ///< ended with the relay
  kSecretsChanged,
  kHandedOver,    ///< messages and ICMP errors that belonged to another worker
  kHandOverLost,  ///< more of them than that one could take
  // Data plane; the worker that owns the relay counts these
  kDataPacketsIn,  ///< multicast datagrams that came from upstream
  kDataBytesIn,
  kDataPacketsNoListener,
  kDataMalformed,    ///< no IP datagram
  kDataPacketsSent,  ///< copies
  kDataBytesSent,    ///< octets of inner datagrams
  kDataSendErrors,
  kDataTooBig,
  kTooBigReported,     ///< ICMP messages sent to sources because of these
  kTooBigNotReported,  ///< kept back by the rate limit, or no way to send
  kIcmpUnproven,       ///< claims of ICMP messages that made the relay ask the path
  kIcmpProven,         ///< answers of the path
  kPathProbesSent,
  kDataHopLimitExceeded,
  kDataOtherUpstream,  ///< of a channel that is taken from another upstream
  kDataReturned,       ///< had been through this relay already
  kDataOverload,       ///< datagrams, not copies: above their channel's share
  kDataTunnelRate,     ///< copies above `--max-tunnel-rate`
  kDataTotalRate,      ///< copies above `--max-rate`
  kCount,
};
[[nodiscard]] const CounterInfo& counter_info(RelayCounter counter);

/// Why a datagram, or a part of an Update, had no effect. Each is one counter.
enum class RelayReject : std::uint8_t {
  kEmpty,
  kBadVersion,
  kUnknownType,
  kBadLength,
  kWrongRole,          ///< a message that only a relay sends
  kNoAddressOfFamily,  ///< Discovery of a family that is not served
  kRequestRateLimit,
  kDiscoveryRateLimit,
  kUpdateRateLimit,
  kAnswerPrefixRateLimit,  ///< Requests and Discoveries without a tunnel, of one /24 or /48 (`AnswerBudget`)
  kAnswerRateLimit,        ///< the same, of all
  kBadMac,
  kInnerTruncated,
  kInnerBadHeader,
  kInnerBadHeaderChecksum,
  kInnerFragment,
  kInnerBadChecksum,
  kInnerBadHopLimit,
  kInnerBadDestination,
  kInnerNoRouterAlert,
  kInnerNotMembership,  ///< none of the six kinds (R-5.3.3.4-a)
  // Of a tunnel (`Admission`)
  kTunnelLimit,            ///< the relay is full
  kTunnelPerAddressLimit,  ///< IPv6: of one /64
  kTunnelPerPrefixLimit,   ///< of one IPv4 /24, /56 or /48
  kTunnelShareLimit,       ///< the relay is nearly full, and this address or prefix has more than the least share
  kUnknownTunnel,          ///< a good Teardown for an endpoint that has no tunnel
  kDraining,               ///< a Discovery, or a new tunnel, while the relay drains
  kShutDown,               ///< came after `shutdown`
  // Parts of an Update that is accepted otherwise: counted per record, never the result of `handle_datagram`
  kGroupLimit,
  kSourceLimit,
  kChannelLimit,  ///< the relay has as many channels as it may
  kChannelPerAddressLimit,
  kChannelPerPrefixLimit,
  kChannelShareLimit,
  kGroupSourcesLimit,  ///< sources of one source-specific group, of all tunnels
  kMembershipLimit,    ///< the relay's memory for memberships of tunnels
  kGroupNotAllowed,    ///< `RelayOptions::allowed_groups`
  kLinkScopeGroup,
  kBadGroup,
  kSsmExclude,
  kSsmOlderReport,
  kCount,
};
/// `bad_mac`.
[[nodiscard]] std::string_view to_string(RelayReject reject);
/// Named `reject_bad_mac`.
[[nodiscard]] const CounterInfo& counter_info(RelayReject reject);

}  // namespace amt
