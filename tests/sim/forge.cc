/// Datagrams of an attacker off the path: addresses may be guessed, nonces and MACs not.

#include "ip/udp.hh"
#include "membership/message.hh"
#include "sim/groups.hh"
#include "sim/world.hh"

namespace amt::sim {
namespace {

wire::ResponseMac random_mac(Random& random) {
  wire::ResponseMac mac;
  random.fill(mac.octets);
  return mac;
}

template <typename Message>
std::vector<std::byte> written(const Message& message) {
  std::vector<std::byte> octets(2000);
  ByteWriter out(octets);
  message.write(out);
  octets.resize(out.written());
  return octets;
}

/// A report that would change something, or a Query, if it were believed.
std::vector<std::byte> inner_message(Random& random, bool query) {
  const GroupPlan& plan = plans()[random.below(2)];
  const bool is_v4 = plan.sources.front().is_v4();
  const IpAddress source = is_v4 ? address("0.0.0.0") : address("fe80::3");
  if (query) {
    GroupQuery general;
    general.version = is_v4 ? 3 : 2;
    general.group = IpAddress::unspecified(is_v4 ? Family::kIpv4 : Family::kIpv6);
    general.robustness = 7;
    general.query_interval = std::chrono::seconds(1);
    return write_query(source, general);
  }
  const GroupRecord record{random.below(2) == 0 ? RecordType::kChangeToInclude : RecordType::kAllowNewSources,
                           plan.groups[random.below(plan.groups.size())],
                           {plan.sources.front()}};
  return write_report(source, std::vector<GroupRecord>{record});
}

std::vector<std::byte> noise(Random& random) {
  std::vector<std::byte> octets(random.below(100));
  random.fill(octets);
  // Mostly of the right version.
  if (!octets.empty() && random.below(4) != 0) octets[0] &= std::byte{0x07};
  return octets;
}

}  // namespace

void World::forge() {
  constexpr std::uint64_t kForgeriesMax = 8;
  for (std::uint64_t left = 1 + random_.below(kForgeriesMax); left > 0; --left) {
    Packet packet = random_.below(2) == 0 ? forged_for_relay() : forged_for_gateway();
    packet.is_forged = true;
    network_.send(now_, std::move(packet));
    tally_.add(Event::kForgeries);
  }
}

Packet World::forged_for_relay() {
  const RelayHost& relay = any_relay();
  const GatewayHost& gateway = any_gateway();
  // In a gateway's name, or in any other.
  Endpoint from = network_.outside_of(gateway.id, gateway.inside);
  if (random_.below(4) == 0) from.port = static_cast<std::uint16_t>(random_.below(65'536));
  const wire::RequestNonce nonce{random_.u32()};
  std::vector<std::byte> octets;
  switch (random_.below(5)) {
    case 0:
      octets = written(wire::Teardown{random_mac(random_), nonce, {from}});
      break;
    case 1: {
      const std::vector<std::byte> inner = inner_message(random_, false);
      octets = written(wire::MembershipUpdate{random_mac(random_), nonce, inner});
      break;
    }
    case 2:
      octets = written(wire::RelayDiscovery{{nonce.value}});
      break;
    case 3:
      octets = written(wire::Request{nonce, static_cast<wire::Protocol>(random_.below(2)), random_.below(2) == 0,
                                     random_.below(2) == 0});
      break;
    default:
      octets = noise(random_);
  }
  return {.from = from,
          .to = from.address.is_v4() ? relay.v4 : relay.v6,
          .octets = std::make_shared<const std::vector<std::byte>>(std::move(octets))};
}

Packet World::forged_for_gateway() {
  const GatewayHost& gateway = any_gateway();
  const Endpoint to = network_.outside_of(gateway.id, gateway.inside);
  const RelayHost& relay = any_relay();
  Endpoint from = to.address.is_v4() ? relay.v4 : relay.v6;
  const wire::RequestNonce nonce{random_.u32()};
  std::vector<std::byte> octets;
  switch (random_.below(4)) {
    case 0:
      octets =
          written(wire::RelayAdvertisement{{nonce.value}, to.address.is_v4() ? relay.v4.address : relay.v6.address});
      break;
    case 1: {
      const std::vector<std::byte> inner = inner_message(random_, true);
      octets = written(wire::MembershipQuery{random_mac(random_), nonce, false, wire::GatewayFields{to}, inner});
      break;
    }
    case 2: {
      // From another port than the relay's: an attacker that guesses relay and channel gets through, AMT has no
      // defence.
      from.port = static_cast<std::uint16_t>(from.port + 1 + random_.below(100));
      HeaderFields header;
      header.source = plans()[0].sources.front();
      header.destination = plans()[0].groups.front();
      header.protocol = kProtocolUdp;
      header.hop_limit = 8;
      octets.assign(wire::kDataHeader.begin(), wire::kDataHeader.end());
      octets.resize(100);
      octets.resize(wire::kDataHeaderOctets +
                    write_udp_datagram(MutableBytes(octets).subspan(wire::kDataHeaderOctets), header, 5000, 5000, {}));
      break;
    }
    default:
      octets = noise(random_);
  }
  return {.from = from, .to = to, .octets = std::make_shared<const std::vector<std::byte>>(std::move(octets))};
}

}  // namespace amt::sim
