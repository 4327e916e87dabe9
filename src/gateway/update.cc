/// Membership Updates (RFC 7450 §5.2.3.6).

#include "gateway/gateway_impl.hh"

namespace amt {

using gateway_state::Attached;
using gateway_state::Session;

namespace {

/// RFC 7450 §5.2.1 allows any inner source address; RFC 3810 §5.2.13 requires link-local for MLD.
constexpr IpAddress kReportSourceV4 = IpAddress::from_v4(std::uint32_t{0});
constexpr IpAddress kReportSourceV6 = IpAddress::from_v6(
    {std::byte{0xfe}, std::byte{0x80}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, std::byte{0x02}});

}  // namespace

void Gateway::Impl::flush_reports() {
  const auto* attached = std::get_if<Attached>(&state);
  for (const wire::Protocol protocol : gateway_state::kProtocols) {
    HostMachine& host = hosts[gateway_state::index(protocol)];
    const Session* session = attached == nullptr ? nullptr : session_of(attached->cycle(protocol));
    if (session == nullptr) {
      // RFC 7450 §5.2.3.6.1: "Discard IGMP or MLD datagrams until it receives a Membership Query message, at which time
      // it processes the Membership Query message as normal to eventually produce a current-state report (RECOMMENDED)"
      host.discard_pending();
      continue;
    }
    const Session copy = *session;
    while (const auto records = host.poll_report()) send_update(copy, protocol, *records);
  }
}

void Gateway::Impl::send_update(const Session& session, wire::Protocol protocol,
                                const std::vector<GroupRecord>& records) {
  const std::vector<std::byte> report =
      write_report(protocol == wire::Protocol::kIgmp ? kReportSourceV4 : kReportSourceV6, records);
  gateway_state::RelayKnowledge& relay = std::get<Attached>(state).relay;
  GatewayTransmit transmit{relay.endpoint, {}};
  transmit.datagram.resize(wire::kUpdateHeaderOctets + report.size());
  ByteWriter out({transmit.datagram.data(), transmit.datagram.size()});
  wire::MembershipUpdate{session.mac, session.nonce, report}.write(out);
  outputs.emplace_back(std::move(transmit));
  counters.add(GatewayCounter::kUpdatesSent);
  relay.reported = true;
  if (session.gateway) relay.teardown = session;
  data_source = relay.endpoint;
}

}  // namespace amt
