/// A gateway of the storm: the machine `Client`, its sockets and its DNS in virtual time.

#include "discovery/amtrelay.hh"
#include "sim/groups.hh"
#include "sim/storm.hh"

namespace amt::sim {
namespace {

constexpr Duration kDnsMin = std::chrono::milliseconds(20);
constexpr Duration kDnsMax = std::chrono::milliseconds(200);

/// An AMTRELAY record with an IPv4 address and D=0 (RFC 8777 §4.2).
std::vector<std::byte> amtrelay_record(std::uint8_t precedence, const IpAddress& relay) {
  std::vector<std::byte> record{std::byte{precedence}, std::byte{1}};
  record.insert(record.end(), relay.bytes().begin(), relay.bytes().end());
  return record;
}

}  // namespace

DnsAnswer Storm::answer() const {
  DnsAnswer answer;
  answer.ttl_seconds = 3600;
  for (const Host& host : relays_) {
    const bool first = &host == &relays_.front();
    if (first && scenario_.asks_dns) continue;
    answer.records.push_back(amtrelay_record(first ? 10 : 20, host.endpoint.address));
  }
  return answer;
}

void Storm::start(std::size_t index) {
  ClientOptions options;
  options.gateway = scenario_.gateway;
  options.search = scenario_.search;
  nodes_[index].client = std::make_unique<Client>(std::move(options), random_, now_);
  drain(index);
}

void Storm::deliver_to_gateway(std::size_t index, const Packet& packet) {
  Node& node = nodes_[index];
  const auto socket = std::ranges::find_if(node.sockets, [&](const auto& open) { return open.second == packet.to; });
  if (socket == node.sockets.end()) return;
  scratch_.assign(packet.octets->begin(), packet.octets->end());
  Received received;
  received.from = packet.from;
  received.bytes = scratch_;
  received.ecn = packet.ecn;
  from_other_ = now_ > lost_at_ && packet.from != relays_.front().endpoint;
  node.client->handle_datagrams(now_, socket->first, {&received, 1});
  drain(index);
  from_other_ = false;
}

void Storm::drain(std::size_t index) {
  for (;;) {
    ClientOutput output = nodes_[index].client->poll_output();
    std::visit([&](const auto& one) { apply(index, one); }, output);
    if (std::holds_alternative<ClientDeadline>(output)) break;
  }
  schedule(index);
}

void Storm::apply(std::size_t index, const ClientPackets&) {
  Node& node = nodes_[index];
  if (!from_other_ || std::exchange(node.served_again, true)) return;
  served_.push_back(now_ - lost_at_);
}

void Storm::apply(std::size_t index, const ClientTransmit& transmit) {
  network_.send(now_, {.from = nodes_[index].sockets.at(transmit.socket),
                       .to = transmit.to,
                       .octets = std::make_shared<const std::vector<std::byte>>(transmit.datagram.begin(),
                                                                                transmit.datagram.end()),
                       .sender = id_of(index)});
}

void Storm::apply(std::size_t index, const OpenSocket& open) {
  Node& node = nodes_[index];
  const Endpoint endpoint{node.address, node.next_port++};
  network_.route(endpoint, id_of(index));
  node.sockets[open.socket] = endpoint;
}

void Storm::apply(std::size_t index, const CloseSocket& close) {
  const auto socket = nodes_[index].sockets.find(close.socket);
  network_.unroute(socket->second);
  nodes_[index].sockets.erase(socket);
}

void Storm::apply(std::size_t index, const AskDns& ask) {
  nodes_[index].question = ask.question;
  nodes_[index].answer_at = now_ + random_.between(kDnsMin, kDnsMax);
  if (now_ < lost_at_) return;
  ++figures_.dns_queries;
  ++dns_queries_[millisecond()];
}

void Storm::apply(std::size_t index, const AskSource& ask) {
  Node& node = nodes_[index];
  node.client->handle_source_answer(now_, ask.destination,
                                    ask.destination.is_v4() ? std::optional(node.address) : std::nullopt);
}

}  // namespace amt::sim
