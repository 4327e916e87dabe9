#pragma once
/// The counters of a gateway, and its reasons for rejects.

#include <cstdint>
#include <string_view>

#include "base/counters.hh"

namespace amt {

enum class GatewayCounter : std::uint8_t {
  kDiscoveriesSent,
  kAdvertisementsReceived,
  kRequestsSent,
  kQueriesReceived,
  kUpdatesSent,
  kTeardownsSent,
  kDataReceived,       ///< accepted
  kDataBytesReceived,  ///< octets of inner datagrams
  kRelayChanges,
  kSilences,      ///< early Requests
  kUnreachables,  ///< ICMP errors reported by the socket; noted, no effect (X-3.5-a)
  kEcnMismatch,   ///< combinations that RFC 6040 §4.2 calls dangerous
  kCount,
};
[[nodiscard]] const CounterInfo& counter_info(GatewayCounter counter);

enum class GatewayReject : std::uint8_t {
  kEmpty,
  kBadVersion,
  kUnknownType,
  kBadLength,
  kWrongRole,   ///< R-5.2.3.2-a
  kNotWaiting,  ///< an Advertisement or Query that was not asked for
  kWrongNonce,
  kWrongSource,      ///< not from where it was asked
  kBadRelayAddress,  ///< X-3.3-a
  kInnerTruncated,
  kInnerBadHeader,
  kInnerBadHeaderChecksum,
  kInnerBadChecksum,
  kInnerNotQuery,     ///< not a General Query of IGMPv3 / MLDv2, or not of the protocol asked for
  kDataNotMulticast,  ///< R-5.2.3.3-c
  kDataNotWanted,     ///< no such group and source in the reception state (R-6.2-a)
  kDataBadChecksum,   ///< R-6.3-a: the transport checksum of a whole datagram
  kDataEcnDrop,       ///< E-6040-b: Not-ECT inside, CE outside
  kCount,
};
/// Named `reject_wrong_nonce`.
[[nodiscard]] const CounterInfo& counter_info(GatewayReject reject);

}  // namespace amt
