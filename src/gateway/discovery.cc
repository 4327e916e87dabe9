/// Relay discovery (RFC 7450 §5.2.3.4).

#include "gateway/gateway_impl.hh"
#include "wire/relay_address.hh"

namespace amt {

using gateway_state::Discovering;
using gateway_state::Idle;

void Gateway::Impl::start_discovery(Instant now, const Endpoint& to) {
  Discovering discovering;
  discovering.to = to;
  // RFC 7450 §5.2.3.4.5: "The discovery nonce MUST be a random, non-zero 32-bit value".
  while (discovering.nonce.value == 0) discovering.nonce.value = random.u32();
  state = discovering;
  emit_event(GatewayEvent::Kind::kDiscovering, to);
  send_discovery(now);
}

void Gateway::Impl::send_discovery(Instant now) {
  auto& discovering = std::get<Discovering>(state);
  GatewayTransmit transmit{discovering.to, {}};
  transmit.datagram.resize(wire::kDiscoveryOctets);
  ByteWriter out({transmit.datagram.data(), transmit.datagram.size()});
  wire::RelayDiscovery{discovering.nonce}.write(out);
  outputs.emplace_back(std::move(transmit));
  counters.add(GatewayCounter::kDiscoveriesSent);
  discovering.last_sent = now;
  discovering.next_send = now + backoff(discovering.tries + rounds);
  ++discovering.tries;
}

void Gateway::Impl::discovery_timeout(Instant now) {
  const auto* discovering = std::get_if<Discovering>(&state);
  if (discovering == nullptr || discovering->next_send > now) return;
  if (!active()) {
    state = Idle{};
  } else if (discovering->tries >= options.discovery_tries && options.candidates.size() > 1) {
    next_candidate(now);
  } else {
    send_discovery(now);
  }
}

Result<void, GatewayReject> Gateway::Impl::handle_advertisement(Instant now, const Endpoint& from, Bytes message) {
  const auto advertisement = wire::RelayAdvertisement::parse(message);
  if (!advertisement) return reject(reject_for(advertisement.error()));
  const auto* discovering = std::get_if<Discovering>(&state);
  if (discovering == nullptr) return reject(GatewayReject::kNotWaiting);
  // The address that was asked, which is not the relay's own where it is an anycast one (R-5.2.3.4.4-c).
  if (from != discovering->to) return reject(GatewayReject::kWrongSource);
  if (advertisement->nonce != discovering->nonce) return reject(GatewayReject::kWrongNonce);
  if (!wire::is_usable_relay(advertisement->relay, discovering->to.address)) {
    return reject(GatewayReject::kBadRelayAddress);
  }
  counters.add(GatewayCounter::kAdvertisementsReceived);
  const Endpoint relay{advertisement->relay, options.relay_port};
  emit_event(GatewayEvent::Kind::kRelayFound, relay);
  attach(now, relay);
  return {};
}

}  // namespace amt
