#include "discovery/relay_probe.hh"

#include "membership/message.hh"
#include "wire/relay_address.hh"

namespace amt {
namespace {

/// The probe asks for an IGMPv3 General Query (R-5.2.3.5.4-d, -e).
bool is_general_query(Bytes octets) {
  const auto datagram = DatagramView::parse(octets);
  if (!datagram) return false;
  const auto message = parse_group_message(*datagram, HeaderRules{});
  if (!message) return false;
  const auto* query = std::get_if<GroupQuery>(&*message);
  return query != nullptr && query->version == 3 && query->group.is_v4() && query->is_general() &&
         query->sources.empty();
}

}  // namespace

RelayProbe::RelayProbe(const RelayProbeOptions& options, Random& random, Instant now)
    : options_(options), random_(random) {
  if (options_.request_directly) {
    begin_request(now, options_.target);
    return;
  }
  while (discovery_nonce_.value == 0) discovery_nonce_.value = random_.u32();
  transmit(now);
}

void RelayProbe::begin_request(Instant now, const Endpoint& relay) {
  relay_ = relay;
  state_ = State::kRequesting;
  request_nonce_.value = random_.u32();
  tries_ = 0;
  transmit(now);
}

void RelayProbe::transmit(Instant now) {
  Transmit next;
  if (state_ == State::kDiscovering) {
    next.to = options_.target;
    next.datagram.resize(wire::kDiscoveryOctets);
    ByteWriter out(next.datagram);
    wire::RelayDiscovery{discovery_nonce_}.write(out);
  } else {
    next.to = *relay_;
    next.datagram.resize(wire::kRequestOctets);
    ByteWriter out(next.datagram);
    wire::Request{.nonce = request_nonce_}.write(out);
  }
  outgoing_ = std::move(next);
  ++tries_;
  sent_ = now;
  due_ = now + options_.timeout;
}

void RelayProbe::handle_datagram(Instant now, const Endpoint& from, Bytes datagram) {
  const auto type = wire::peek_type(datagram);
  if (!type) return;
  if (*type == wire::MessageType::kRelayAdvertisement) return handle_advertisement(now, from, datagram);
  if (*type == wire::MessageType::kMembershipQuery) return handle_query(now, from, datagram);
}

void RelayProbe::handle_advertisement(Instant now, const Endpoint& from, Bytes datagram) {
  const auto advertisement = wire::RelayAdvertisement::parse(datagram);
  if (state_ != State::kDiscovering || !advertisement || from != options_.target ||
      advertisement->nonce != discovery_nonce_) {
    return;
  }
  discovery_time_ = now - sent_;
  const Endpoint relay{advertisement->relay, options_.relay_port};
  if (!wire::is_usable_relay(relay.address, options_.target.address)) {
    relay_ = relay;
    return end(State::kBadRelay);
  }
  begin_request(now, relay);
}

void RelayProbe::handle_query(Instant now, const Endpoint& from, Bytes datagram) {
  const auto query = wire::MembershipQuery::parse(datagram);
  if (state_ != State::kRequesting || !query || from != *relay_ || query->nonce != request_nonce_ ||
      !is_general_query(query->datagram)) {
    return;
  }
  request_time_ = now - sent_;
  if (query->gateway) seen_as_ = query->gateway->endpoint;
  end(query->limit ? State::kLimited : State::kConnected);
}

void RelayProbe::handle_unreachable(const Endpoint& to) {
  if (to == (relay_ ? *relay_ : options_.target)) unreachable_ = true;
}

void RelayProbe::handle_timeout(Instant now) {
  if (is_over() || now < due_) return;
  if (tries_ < options_.tries) return transmit(now);
  end(state_ == State::kDiscovering ? State::kNoDiscovery : State::kNoAnswer);
}

void RelayProbe::end(State state) {
  state_ = state;
  due_ = kNoDeadline;
  outgoing_.reset();
}

std::optional<RelayProbe::Transmit> RelayProbe::poll_transmit() {
  std::optional<Transmit> next;
  next.swap(outgoing_);
  return next;
}

}  // namespace amt
