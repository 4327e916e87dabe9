#include <array>

#include "gateway/gateway_impl.hh"

namespace amt {
namespace {

template <std::size_t N, typename E>
std::string_view name_in(const std::array<std::string_view, N>& names, E value) {
  static_assert(N == static_cast<std::size_t>(E::kCount));
  const auto i = static_cast<std::size_t>(value);
  AMT_ASSERT(i < N);
  return names[i];
}

constexpr std::array<std::string_view, Counters<GatewayCounter>::kSize> kCounterNames{
    "discoveries_sent", "advertisements_received", "requests_sent",       "queries_received", "updates_sent",
    "teardowns_sent",   "data_received",           "data_bytes_received", "relay_changes",    "silences",
    "unreachables",     "ecn_mismatches",
};

constexpr std::array<std::string_view, Counters<GatewayReject>::kSize> kRejectTexts{
    "empty",
    "bad version",
    "unknown type",
    "bad length",
    "wrong role",
    "not waiting",
    "wrong nonce",
    "wrong source",
    "bad relay address",
    "inner truncated",
    "inner bad header",
    "inner bad header checksum",
    "inner bad checksum",
    "inner not query",
    "data not multicast",
    "data not wanted",
    "data bad checksum",
    "data ecn drop",
};

constexpr std::array<std::string_view, Counters<GatewayReject>::kSize> kRejectNames{
    "reject_empty",
    "reject_bad_version",
    "reject_unknown_type",
    "reject_bad_length",
    "reject_wrong_role",
    "reject_not_waiting",
    "reject_wrong_nonce",
    "reject_wrong_source",
    "reject_bad_relay_address",
    "reject_inner_truncated",
    "reject_inner_bad_header",
    "reject_inner_bad_header_checksum",
    "reject_inner_bad_checksum",
    "reject_inner_not_query",
    "reject_data_not_multicast",
    "reject_data_not_wanted",
    "reject_data_bad_checksum",
    "reject_data_ecn_drop",
};

}  // namespace

std::string_view counter_name(GatewayCounter counter) { return name_in(kCounterNames, counter); }
std::string_view to_string(GatewayReject reject) { return name_in(kRejectTexts, reject); }
std::string_view counter_name(GatewayReject reject) { return name_in(kRejectNames, reject); }

std::string_view to_string(GatewayPhase phase) {
  switch (phase) {
    case GatewayPhase::kIdle:
      return "idle";
    case GatewayPhase::kDiscovering:
      return "discovering";
    case GatewayPhase::kRequesting:
      return "requesting";
    case GatewayPhase::kConnected:
      return "connected";
    case GatewayPhase::kRefused:
      return "refused";
  }
  return "unknown";
}

std::string_view to_string(GatewayEvent::Kind kind) {
  switch (kind) {
    case GatewayEvent::Kind::kDiscovering:
      return "discovering a relay";
    case GatewayEvent::Kind::kRelayFound:
      return "relay found";
    case GatewayEvent::Kind::kRelayAnswers:
      return "relay answers";
    case GatewayEvent::Kind::kRelayLimit:
      return "relay takes no new gateways";
    case GatewayEvent::Kind::kDataStopped:
      return "data stopped";
    case GatewayEvent::Kind::kRelayAlive:
      return "relay is alive";
    case GatewayEvent::Kind::kUnreachable:
      return "relay unreachable";
    case GatewayEvent::Kind::kRelaySilent:
      return "relay is silent";
    case GatewayEvent::Kind::kRelayLost:
      return "relay given up";
    case GatewayEvent::Kind::kEndpointChanged:
      return "seen under another address or port";
  }
  return "unknown";
}

GatewayReject Gateway::Impl::reject_for(wire::ParseError error) {
  switch (error) {
    case wire::ParseError::kEmpty:
      return GatewayReject::kEmpty;
    case wire::ParseError::kBadVersion:
      return GatewayReject::kBadVersion;
    case wire::ParseError::kUnknownType:
      return GatewayReject::kUnknownType;
    case wire::ParseError::kBadLength:
      break;
  }
  return GatewayReject::kBadLength;
}

GatewayReject Gateway::Impl::reject_for(IpError error) {
  switch (error) {
    case IpError::kTruncated:
      return GatewayReject::kInnerTruncated;
    case IpError::kBadHeaderChecksum:
      return GatewayReject::kInnerBadHeaderChecksum;
    case IpError::kBadVersion:
    case IpError::kBadHeader:
      break;
  }
  return GatewayReject::kInnerBadHeader;
}

GatewayReject Gateway::Impl::reject_for(GroupMessageError error) {
  switch (error) {
    case GroupMessageError::kNotMembership:
      return GatewayReject::kInnerNotQuery;
    case GroupMessageError::kTruncated:
      return GatewayReject::kInnerTruncated;
    case GroupMessageError::kBadChecksum:
      return GatewayReject::kInnerBadChecksum;
    case GroupMessageError::kFragment:
    case GroupMessageError::kBadHopLimit:
    case GroupMessageError::kBadDestination:
    case GroupMessageError::kNoRouterAlert:
    case GroupMessageError::kBadSource:
      break;
  }
  return GatewayReject::kInnerBadHeader;
}

}  // namespace amt
