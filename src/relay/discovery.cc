/// RFC 7450 §5.3.3.2: Relay Discovery and Advertisement.

#include "relay/relay_impl.hh"

namespace amt {

Relay::Impl::Outcome Relay::Impl::handle_discovery(Instant now, const TunnelEndpoint& from, const LocalAddress& to,
                                                   Bytes message) {
  counters.add(RelayCounter::kDiscoveriesReceived);
  const auto discovery = wire::RelayDiscovery::parse(message);
  if (!discovery) return reject(RelayReject::kBadLength);
  // A gateway that finds no relay here finds another one.
  if (refuses_newcomers(to)) return reject(RelayReject::kDraining);
  // Eight octets draw up to twenty-four: without a limit a forger could use this relay to flood a victim (X-4.1-a).
  if (const auto refusal =
          options.shared->answers.take(now, from, AnswerBudget::Kind::kAdvertisement, discovery->nonce.value)) {
    return refuse(now, *refusal);
  }

  // R-5.1.2-b: the address is of the family that the Discovery arrived by.
  const std::optional<IpAddress>& advertised =
      from.address.family() == Family::kIpv4 ? options.advertise_v4 : options.advertise_v6;
  if (!advertised) return reject(RelayReject::kNoAddressOfFamily);

  gateway_fields.note_discovery(from, discovery->nonce);
  ControlDatagram& out = transmit(from, to);
  out.resize(wire::kDiscoveryOctets + advertised->bytes().size(), boost::container::default_init);
  ByteWriter writer(out);
  wire::RelayAdvertisement{discovery->nonce, *advertised}.write(writer);
  AMT_ASSERT(writer.written() == out.size());
  counters.add(RelayCounter::kAdvertisementsSent);
  return {};
}

}  // namespace amt
