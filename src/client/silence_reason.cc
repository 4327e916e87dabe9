#include "client/silence_reason.hh"

namespace amt {
namespace {

/// The relay answers, and no data comes: the likely reason, as far as this end can know it.
std::string reason_of_silence_at(const std::string& relay, const Gateway& gateway) {
  const std::string subject = "relay " + relay + " answers";
  if (gateway.counters()[GatewayCounter::kDataReceived] > 0) return subject + "; the source may have paused";
  if (gateway.rejects()[GatewayReject::kDataBadChecksum] > 0) {
    return subject + ", but the checksums of what comes are wrong: the source, or something on the way, damages it";
  }
  if (gateway.rejects()[GatewayReject::kDataNotWanted] > 0) {
    return subject + ", but what comes is of other groups or sources; do the URL's source and group belong together?";
  }
  return subject +
         ", but nothing that is wanted comes through it; is the source sending, to this group, and in datagrams that "
         "fit into a tunnel (at most 1422 octets of UDP payload; ffmpeg's RTP has 1472 unless pkt_size=1316)?";
}

}  // namespace

std::string reason_of_silence(const Gateway& gateway, const std::string& send_problem) {
  const std::string relay = gateway.relay() ? gateway.relay()->to_string() : std::string();
  if (gateway.phase() != GatewayPhase::kConnected && !send_problem.empty()) {
    return (relay.empty() ? "the relay" : "relay " + relay) + " cannot be reached from here: " + send_problem;
  }
  switch (gateway.phase()) {
    case GatewayPhase::kDiscovering:
      return "no relay answers Relay Discovery";
    case GatewayPhase::kRefused:
      return "every relay that was named refuses new gateways (L flag): they are full, or about to stop; another may "
             "be named with --relay";
    case GatewayPhase::kIdle:
    case GatewayPhase::kRequesting:
      return relay.empty() ? "no relay was asked so far" : "relay " + relay + " does not answer";
    case GatewayPhase::kConnected:
      break;
  }
  return reason_of_silence_at(relay, gateway);
}

}  // namespace amt
