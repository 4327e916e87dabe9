/// Names of phases and events, and which reject an error of a room below is.
#include "gateway/gateway_impl.hh"

namespace amt {

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
