/// Multicast Data (RFC 7450 §5.2.3.3; RFC 6040 §4.2).

#include <array>

#include "gateway/gateway_impl.hh"
#include "ip/udp.hh"

namespace amt {
namespace {

/// One field of the table in RFC 6040 §4.2.
struct EcnOutcome {
  Ecn result = Ecn::kNotEct;
  bool drop = false;
  /// Should not happen: counted (E-6040-c).
  bool mismatch = false;
};

constexpr Ecn kN = Ecn::kNotEct;
constexpr Ecn k0 = Ecn::kEct0;
constexpr Ecn k1 = Ecn::kEct1;
constexpr Ecn kC = Ecn::kCe;

/// Row: inner, column: outer, each by codepoint: Not-ECT 00, ECT(1) 01, ECT(0) 10, CE 11.
constexpr std::array<std::array<EcnOutcome, 4>, 4> kEcnTable{{
    {{{kN, false, false}, {kN, false, true}, {kN, false, true}, {kN, true, true}}},
    {{{k1, false, false}, {k1, false, false}, {k1, false, true}, {kC, false, false}}},
    {{{k0, false, false}, {k1, false, false}, {k0, false, false}, {kC, false, false}}},
    {{{kC, false, false}, {kC, false, true}, {kC, false, false}, {kC, false, false}}},
}};

}  // namespace

void Gateway::Impl::count_data(Instant now, const FlowWatch::Flow& flow, std::size_t octets) {
  flow.handle_packet(now);
  counters.add(GatewayCounter::kDataReceived);
  counters.add(GatewayCounter::kDataBytesReceived, octets);
}

Result<DataPacket, GatewayReject> Gateway::Impl::accept_data(Instant now, const Endpoint& from, Ecn outer_ecn,
                                                             MutableBytes message, bool verify_transport) {
  if (const KnownFlow* const known = known_flows.find(from, outer_ecn, message); known != nullptr) {
    if (!known->has_right_header_checksum(message)) return reject(GatewayReject::kInnerBadHeaderChecksum);
    if (verify_transport && !known->has_right_udp_checksum(message)) return reject(GatewayReject::kDataBadChecksum);
    const DataPacket packet = known->packet(message);
    count_data(now, known->flow(), packet.datagram.size());
    return packet;
  }
  const auto type = wire::peek_type(message);
  if (!type) return reject(reject_for(type.error()));
  if (*type != wire::MessageType::kMulticastData) return reject(GatewayReject::kWrongRole);
  const auto data = wire::MulticastData::parse(message);
  if (!data) return reject(reject_for(data.error()));
  // RFC 7450 §5.2.3.3: "MUST be equal to the destination IP address and UDP port carried by the matching Membership
  // Update message".
  if (!data_source || from != *data_source) return reject(GatewayReject::kWrongSource);

  const auto datagram = DatagramView::parse(data->datagram);
  if (!datagram) return reject(reject_for(datagram.error()));
  if (!datagram->destination.is_multicast()) return reject(GatewayReject::kDataNotMulticast);
  // By source and group alone: inner fragments carry no ports (X-3.2-a).
  const std::optional<FilterMode> wanted_by = reception.accept(datagram->source, datagram->destination);
  if (!wanted_by) {
    repeat_leave(now, datagram->destination);
    return reject(GatewayReject::kDataNotWanted);
  }
  if (verify_transport && !datagram->is_fragment() && !transport_checksum_ok(*datagram)) {
    return reject(GatewayReject::kDataBadChecksum);
  }

  const EcnOutcome& ecn = kEcnTable[static_cast<std::size_t>(datagram->ecn())][static_cast<std::size_t>(outer_ecn)];
  if (ecn.mismatch) {
    counters.add(GatewayCounter::kEcnMismatch);
    last_ecn_mismatch = {datagram->ecn(), outer_ecn};
  }
  if (ecn.drop) return reject(GatewayReject::kDataEcnDrop);
  const FlowWatch::Flow flow = watches[gateway_state::index(gateway_state::protocol_of(datagram->family()))].flow_of(
      datagram->source, *wanted_by);
  if (ecn.result != datagram->ecn()) {
    set_ecn(message.subspan(wire::kDataHeaderOctets, datagram->bytes.size()), ecn.result);
  } else if (!ecn.mismatch) {
    known_flows.learn(from, outer_ecn, message, *datagram, flow);
  }
  count_data(now, flow, datagram->bytes.size());
  return data_packet(*datagram);
}

void Gateway::Impl::repeat_leave(Instant now, const IpAddress& group) {
  if (now < unwanted.next()) return;
  unwanted.note(now);
  hosts[gateway_state::index(gateway_state::protocol_of(group.family()))].restate(now, group);
}

}  // namespace amt
