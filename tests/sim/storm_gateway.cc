/// A gateway of the storm: what RelaySet does with sockets and timers, here in virtual time.

#include "engine/tunnel_events.hh"
#include "sim/groups.hh"
#include "sim/storm.hh"
#include "wire/message.hh"

namespace amt::sim {
namespace {

constexpr Duration kDnsMin = std::chrono::milliseconds(20);
constexpr Duration kDnsMax = std::chrono::milliseconds(200);

}  // namespace

RelayOption Storm::option(const Host& host, RelayOrigin origin, std::uint16_t precedence) const {
  RelayOption option;
  option.destination = {host.endpoint.address, nodes_.front().address};
  option.origin = origin;
  option.precedence = precedence;
  return option;
}

SourceRecords Storm::records() const {
  SourceRecords records;
  records.lifetime = std::chrono::hours(1);
  for (const Host& host : relays_) {
    const bool first = &host == &relays_.front();
    if (first && scenario_.asks_dns) continue;
    records.options.push_back(option(host, RelayOrigin::kDriad, first ? 10 : 20));
  }
  return records;
}

Endpoint Storm::new_port(std::size_t node) {
  const Endpoint endpoint{nodes_[node].address, nodes_[node].next_port++};
  network_.route(endpoint, id_of(node));
  return endpoint;
}

void Storm::send(std::size_t node, const Endpoint& from, const Endpoint& to, Bytes octets) {
  network_.send(now_, {.from = from,
                       .to = to,
                       .octets = std::make_shared<const std::vector<std::byte>>(octets.begin(), octets.end()),
                       .sender = id_of(node)});
}

void Storm::deliver_to_gateway(std::size_t index, const Packet& packet) {
  Node& node = nodes_[index];
  for (auto& [target, probe] : node.probes) {
    if (probe.inside == packet.to) probe.machine.handle_datagram(now_, packet.from, *packet.octets);
  }
  for (auto& [number, tunnel] : node.tunnels) {
    if (tunnel.inside != packet.to) continue;
    if (wire::peek_type(*packet.octets) != wire::MessageType::kMulticastData) {
      static_cast<void>(tunnel.gateway->handle_control(now_, packet.from, *packet.octets));
      continue;
    }
    scratch_.assign(packet.octets->begin(), packet.octets->end());
    if (!tunnel.gateway->accept_data(now_, packet.from, packet.ecn, scratch_)) continue;
    if (node.selection->is_watching()) {
      node.selection->handle_traffic(now_, number, plans()[0].sources.front());
    }
    if (now_ > lost_at_ && packet.from != relays_.front().endpoint && !node.served_again) {
      node.served_again = true;
      served_.push_back(now_ - lost_at_);
    }
  }
  drain(index);
}

void Storm::drain(std::size_t index) {
  Node& node = nodes_[index];
  for (bool again = true; again;) {
    again = false;
    for (auto probe = node.probes.begin(); probe != node.probes.end();) {
      const IpAddress target = probe->first;
      drain_probe(index, target);
      probe = node.probes.upper_bound(target);
    }
    for (auto tunnel = node.tunnels.begin(); tunnel != node.tunnels.end(); ++tunnel) drain_tunnel(index, tunnel->first);
    while (const std::optional<SelectionStep> step = node.selection->poll_step()) {
      again = true;
      std::visit([&](const auto& one) { act(index, one); }, *step);
    }
  }
  schedule(index);
}

void Storm::drain_probe(std::size_t index, const IpAddress& target) {
  Node& node = nodes_[index];
  Probe& probe = node.probes.at(target);
  while (const auto transmit = probe.machine.poll_transmit()) {
    send(index, probe.inside, transmit->to, transmit->datagram);
  }
  if (!probe.machine.is_over()) return;
  ProbeOutcome outcome;
  if (probe.machine.state() == RelayProbe::State::kConnected) {
    outcome = {ProbeOutcome::Kind::kConnected, *probe.machine.relay(), *probe.machine.request_time(), {}};
  } else if (probe.machine.state() == RelayProbe::State::kLimited) {
    outcome.kind = ProbeOutcome::Kind::kLimited;
  }
  network_.unroute(probe.inside);
  node.probes.erase(target);
  node.selection->handle_probe(now_, target, outcome);
}

void Storm::drain_tunnel(std::size_t index, TunnelNumber number) {
  Node& node = nodes_[index];
  Tunnel& tunnel = node.tunnels.at(number);
  while (true) {
    const GatewayOutput output = tunnel.gateway->poll_output();
    if (const auto* transmit = std::get_if<GatewayTransmit>(&output)) {
      send(index, tunnel.inside, transmit->to, transmit->datagram);
    } else if (const auto* event = std::get_if<GatewayEvent>(&output)) {
      if (const auto known = tunnel_event(event->kind))
        node.selection->handle_tunnel(now_, number, *known, event->source);
    } else {
      tunnel.deadline = std::get<GatewayDeadline>(output).at;
      return;
    }
  }
}

void Storm::act(std::size_t node, const LookUpSource&) {
  nodes_[node].records_at = now_ + random_.between(kDnsMin, kDnsMax);
  if (now_ < lost_at_) return;
  ++figures_.dns_queries;
  ++dns_queries_[millisecond()];
}

void Storm::act(std::size_t node, const StartProbe& step) {
  RelayProbeOptions options;
  options.target = {step.option.destination.address, kAmtPort};
  options.request_directly = step.option.discovery_optional;
  nodes_[node].probes.try_emplace(options.target.address, Probe{new_port(node), RelayProbe(options, random_, now_)});
}

void Storm::act(std::size_t node, const OpenTunnel& step) {
  Tunnel tunnel;
  tunnel.inside = new_port(node);
  tunnel.gateway = std::make_unique<Gateway>(found_relay_options(scenario_.gateway, step.relay), random_, now_);
  nodes_[node].tunnels.emplace(step.tunnel, std::move(tunnel));
}

void Storm::act(std::size_t node, const TunnelFilter& step) {
  const auto tunnel = nodes_[node].tunnels.find(step.tunnel);
  if (tunnel == nodes_[node].tunnels.end()) return;
  static_cast<void>(tunnel->second.gateway->set_membership(now_, step.group, step.filter));
}

void Storm::act(std::size_t node, const CloseTunnel& step) {
  Tunnel& tunnel = nodes_[node].tunnels.at(step.tunnel);
  tunnel.gateway->shutdown(now_);
  drain_tunnel(node, step.tunnel);
  network_.unroute(tunnel.inside);
  nodes_[node].tunnels.erase(step.tunnel);
}

}  // namespace amt::sim
