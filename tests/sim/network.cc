#include "sim/network.hh"

#include "base/assert.hh"

namespace amt::sim {

void Network::put_behind_nat(const Endpoint& inside, const IpAddress& address) {
  nats_[inside] = {address, 0};
  rebind(inside);
}

void Network::rebind(const Endpoint& inside) {
  const auto nat = nats_.find(inside);
  if (nat == nats_.end()) return;
  inside_of_.erase({nat->second.address, nat->second.port});
  nat->second.port = next_port_++;
  AMT_ASSERT(next_port_ != 0);
  inside_of_[{nat->second.address, nat->second.port}] = inside;
}

Endpoint Network::outside_of(const Endpoint& inside) const {
  const auto nat = nats_.find(inside);
  return nat == nats_.end() ? inside : Endpoint{nat->second.address, nat->second.port};
}

void Network::send(Instant now, Packet packet) {
  packet.from = outside_of(packet.from);
  const int copies = happens(weather.repeat_per_mille) ? 2 : 1;
  for (int i = 0; i < copies; ++i) {
    if (happens(weather.loss_per_mille)) continue;
    Packet copy = packet;
    if (copy.ecn != Ecn::kNotEct && happens(weather.mark_per_mille)) copy.ecn = Ecn::kCe;
    under_way_.emplace(std::pair(now + random_.between(weather.delay_min, weather.delay_max), sent_++),
                       std::move(copy));
  }
}

Instant Network::next_arrival() const { return under_way_.empty() ? kNoDeadline : under_way_.begin()->first.first; }

std::optional<Packet> Network::arrive() {
  auto first = under_way_.extract(under_way_.begin());
  Packet packet = std::move(first.mapped());
  if (const auto inside = inside_of_.find(packet.to); inside != inside_of_.end()) packet.to = inside->second;
  // A host behind a NAT is not reached by its own address.
  else if (nats_.contains(packet.to))
    return std::nullopt;
  return packet;
}

}  // namespace amt::sim
