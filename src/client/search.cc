/// How a client finds its relays: the selection's steps, and the answers to their questions.

#include <algorithm>
#include <iterator>
#include <utility>

#include "client/client_impl.hh"
#include "client/tunnel_events.hh"

namespace amt {
namespace {

/// Changes come in bursts, and to many hosts at once: they are looked at after the first of these, and up to the second
/// more, by chance.
constexpr Duration kNetworkCalm = std::chrono::milliseconds(500);
constexpr Duration kNetworkSpan = std::chrono::seconds(1);

ProbeOutcome outcome_of(const RelayProbeOptions& probe, const ProbeResult& result) {
  if (result.state == RelayProbe::State::kConnected) {
    return {ProbeOutcome::Kind::kConnected, *result.relay, result.request_time.value_or(Duration::zero()), {}};
  }
  const bool limited = result.state == RelayProbe::State::kLimited;
  ProbeOutcome outcome;
  outcome.kind = limited ? ProbeOutcome::Kind::kLimited : ProbeOutcome::Kind::kFailed;
  if (limited) outcome.relay = *result.relay;
  outcome.problem = "relay " + probe.target.address.to_string() + " ";
  if (result.state == RelayProbe::State::kBadRelay) {
    outcome.problem += "advertises " + result.relay->address.to_string() + ", which ";
  }
  outcome.problem += explain_failure(result);
  return outcome;
}

}  // namespace

bool Client::Impl::drain_selection(Instant now) {
  bool spoke = false;
  while (const std::optional<SelectionStep> step = selection->poll_step()) {
    spoke = true;
    std::visit([&](const auto& one) { apply(now, one); }, *step);
  }
  if (!is_moving()) tunnel_duplicates.reset();
  return spoke;
}

void Client::Impl::ask_dns(DnsPlace place, std::string name, std::uint16_t type) {
  const DnsQuestionId id{next_question++};
  dns_questions.emplace(id, std::move(place));
  emit(AskDns{id, std::move(name), type});
}

void Client::Impl::poll_driad(const IpAddress& source) {
  while (std::optional<DriadQuestion> question = driad.at(source).poll_question()) {
    ask_dns(DriadPlace{source, question->number}, std::move(question->name), question->type);
  }
}

void Client::Impl::apply(Instant, const LookUpSource& step) {
  if (!options.has_dns) return;
  driad.erase(step.source);
  driad.try_emplace(step.source, random, step.source);
  std::erase_if(dns_questions, [&](const auto& question) {
    const auto* place = std::get_if<DriadPlace>(&question.second);
    return place != nullptr && place->source == step.source;
  });
  poll_driad(step.source);
}

void Client::Impl::handle_driad_answer(Instant, const DriadPlace& place, const DnsAnswer& answer) {
  const auto lookup = driad.find(place.source);
  if (lookup == driad.end()) return;
  lookup->second.handle_answer(place.number, answer);
  poll_driad(place.source);
  if (!lookup->second.is_done()) return;
  if (std::string notice = unroutable_notice(lookup->second.result()); !notice.empty()) {
    emit_event(LogLevel::kInfo, std::move(notice));
  }
  WaitingRecords ready{place.source, source_records(place.source, lookup->second.result())};
  driad.erase(lookup);
  for (const RelayOption& option : ready.records.options) sources.ask(option.destination.address);
  waiting.push_back(std::move(ready));
}

void Client::Impl::apply(Instant now, WaitingRecords&& ready) {
  for (RelayOption& option : ready.records.options)
    option.destination = sources.destination(option.destination.address);
  selection->handle_records(now, ready.source, std::move(ready.records));
}

void Client::Impl::begin_services(Instant now) {
  if (options.service_domains.empty()) {
    asking_domains = true;
    return emit(AskServiceDomains{});
  }
  services->start(now, {options.service_domains, {}});
  services_changed = true;
}

void Client::Impl::handle_service_answer(Instant now, const ServiceQuestion& question, const DnsAnswer& answer) {
  services->handle_answer(now, question, service_answer(answer));
  services_changed = true;
}

bool Client::Impl::drain_services(Instant) {
  if (!services) return false;
  while (const std::optional<ServiceQuestion> question = services->poll_question()) {
    ask_dns(*question, question->name.to_string(), static_cast<std::uint16_t>(question->type));
  }
  if (!std::exchange(services_changed, false)) return false;
  WaitingServices ready{{services->options(), services->is_searching(), services->problem()}};
  for (const RelayOption& option : ready.relays.options) sources.ask(option.destination.address);
  waiting.emplace_back(std::move(ready));
  return true;
}

void Client::Impl::apply(Instant now, WaitingServices&& ready) {
  for (RelayOption& option : ready.relays.options) option.destination = sources.destination(option.destination.address);
  selection->set_services(now, std::move(ready.relays));
}

bool Client::Impl::drain_names(Instant now) {
  if (!names) return false;
  while (std::optional<RelayNames::Question> question = names->poll_question()) {
    const HostQuestionId id{next_question++};
    host_questions[id] = question->relay;
    emit(AskHost{id, std::move(question->name)});
  }
  bool changed = false;
  while (const std::optional<RelayNames::Change> change = names->poll_change()) {
    emit_event(LogLevel::kInfo, change->text);
    std::vector<RelayCandidate> candidates;
    for (const Endpoint& relay : change->relays) candidates.push_back({RelayCandidate::Kind::kRelay, relay});
    std::ranges::copy_if(options.gateway.candidates, std::back_inserter(candidates),
                         [](const RelayCandidate& one) { return one.kind == RelayCandidate::Kind::kDiscovery; });
    set_candidates(now, std::move(candidates));
    changed = true;
  }
  return changed;
}

void Client::Impl::set_candidates(Instant now, std::vector<RelayCandidate> candidates) {
  options.gateway.candidates = std::move(candidates);
  if (finds()) return begin_defaults(false);
  for (const RelayCandidate& candidate : options.gateway.candidates) emit(RelayChosen{candidate.endpoint.address});
  Tunnel& tunnel = tunnels.at(0);
  open_sockets(0, tunnel, options.gateway.candidates, options.port, options.port_purpose);
  tunnel.gateway.set_candidates(now, options.gateway.candidates);
}

void Client::Impl::begin_defaults(bool is_change) {
  for (const IpAddress& relay : kRelayAnycast) sources.ask(relay);
  for (const RelayCandidate& candidate : options.gateway.candidates) sources.ask(candidate.endpoint.address);
  for (const auto& [number, tunnel] : tunnels) {
    if (const std::optional<Endpoint> relay = tunnel.gateway.relay()) sources.ask(relay->address);
  }
  waiting.emplace_back(WaitingDefaults{is_change});
}

std::map<IpAddress, std::optional<IpAddress>> Client::Impl::ways() const {
  std::map<IpAddress, std::optional<IpAddress>> found;
  for (const IpAddress& relay : kRelayAnycast) found[relay] = sources.destination(relay).source;
  for (const auto& [number, tunnel] : tunnels) {
    const std::optional<Endpoint> relay = tunnel.gateway.relay();
    if (relay) found[relay->address] = sources.destination(relay->address).source;
  }
  return found;
}

void Client::Impl::apply(Instant now, const WaitingDefaults& ready) {
  const auto found = ways();
  const bool same = std::ranges::all_of(found, [this](const auto& way) {
    const auto known = known_ways.find(way.first);
    return known == known_ways.end() || known->second == way.second;
  });
  // New addresses of the relays' names are no change of the network.
  if (ready.is_change || known_ways.empty()) known_ways = found;
  // Most changes of a host's interfaces do not concern a tunnel.
  if (ready.is_change && same) return;
  if (ready.is_change) {
    emit_event(LogLevel::kInfo, "the network changed: looking for relays anew");
    if (services) {
      services->forget();
      begin_services(now);
    }
  }
  selection->set_defaults(now, default_relays());
  want_what_first_tunnel_has(now);
}

void Client::Impl::apply(Instant, const WaitingWay& ready) {
  known_ways[ready.relay] = sources.destination(ready.relay).source;
}

std::vector<RelayOption> Client::Impl::default_relays() const {
  std::vector<RelayOption> relays;
  for (const RelayCandidate& candidate : options.gateway.candidates) {
    RelayOption option;
    option.destination = sources.destination(candidate.endpoint.address);
    option.origin = RelayOrigin::kNamed;
    option.precedence = static_cast<std::uint16_t>(relays.size());
    option.port = candidate.endpoint.port;
    option.discovery_optional = candidate.kind == RelayCandidate::Kind::kRelay;
    relays.push_back(option);
  }
  if (!relays.empty()) return relays;
  for (const IpAddress& address : kRelayAnycast) {
    RelayOption option;
    option.destination = sources.destination(address);
    option.origin = RelayOrigin::kAnycast;
    relays.push_back(option);
  }
  return relays;
}

bool Client::Impl::drain_sources(Instant now) {
  while (const std::optional<IpAddress> destination = sources.poll_question()) emit(AskSource{*destination});
  if (waiting.empty() || !sources.is_complete()) return false;
  for (std::deque<Waiting> ready = std::exchange(waiting, {}); Waiting & one : ready) {
    std::visit([&](auto& item) { apply(now, std::move(item)); }, one);
  }
  return true;
}

void Client::Impl::apply(Instant now, const StartProbe& step) {
  RelayProbeOptions probe;
  probe.relay_port = step.option.port != 0 ? step.option.port : options.gateway.relay_port;
  probe.target = {step.option.destination.address, probe.relay_port};
  probe.request_directly = step.option.discovery_optional;
  // The port of an address that was named for Relay Discovery says nothing of the relay that it names.
  if (step.option.origin == RelayOrigin::kNamed && !probe.request_directly) {
    probe.relay_port = options.gateway.relay_port;
  }
  emit_event(LogLevel::kDebug,
             "asking relay " + probe.target.to_string() + " (" + std::string(to_string(step.option.origin)) + ")");
  probe_options[probes.start(now, probe)] = probe;
}

void Client::Impl::apply(Instant, const StopProbe& step) {
  std::erase_if(probe_options, [&](const auto& entry) {
    if (entry.second.target.address != step.target) return false;
    probes.stop(entry.first);
    return true;
  });
}

bool Client::Impl::drain_probes(Instant now) {
  while (std::optional<RelayProbes::Transmit> next = probes.poll_transmit()) {
    const Family family = next->message.to.address.family();
    if (!probe_sockets.contains(family)) probe_sockets[family] = open_socket(family, std::nullopt, 0, {});
    emit(ClientTransmit{probe_sockets[family], next->message.to,
                        ControlDatagram(next->message.datagram.begin(), next->message.datagram.end())});
  }
  bool spoke = false;
  while (const std::optional<RelayProbes::Result> result = probes.poll_result()) {
    handle_probe_result(now, *result);
    spoke = true;
  }
  // Each search begins from a port of its own: a relay that holds one against us does not hold the next.
  if (probe_options.empty() && !probe_sockets.empty()) {
    for (const auto& [family, socket] : std::exchange(probe_sockets, {})) close_socket(socket);
  }
  return spoke;
}

void Client::Impl::handle_probe_result(Instant now, const RelayProbes::Result& result) {
  const auto asked = probe_options.find(result.ticket);
  if (asked == probe_options.end()) return;
  const RelayProbeOptions probe = asked->second;
  probe_options.erase(asked);
  const ProbeOutcome outcome = outcome_of(probe, result.result);
  if (!outcome.problem.empty()) emit_event(LogLevel::kInfo, outcome.problem);
  selection->handle_probe(now, probe.target.address, outcome);
}

void Client::Impl::apply(Instant now, const OpenTunnel& step) {
  emit(RelayChosen{step.relay.address});
  const std::string& purpose = options.port_purpose;
  open_tunnel(now, step.tunnel, found_relay_options(options.gateway, step.relay),
              purpose.empty() ? purpose : purpose + " by " + step.relay.address.to_string());
  sources.ask(step.relay.address);
  waiting.emplace_back(WaitingWay{step.relay.address});
}

void Client::Impl::apply(Instant now, const TunnelFilter& step) {
  const auto tunnel = tunnels.find(step.tunnel);
  if (tunnel == tunnels.end()) return;
  static_cast<void>(tunnel->second.gateway.set_membership(now, step.group, step.filter));
  drain_tunnel(now, step.tunnel, tunnel->second);
}

void Client::handle_dns_answer(Instant now, DnsQuestionId question, const DnsAnswer& answer) {
  const auto asked = impl_->dns_questions.find(question);
  if (asked == impl_->dns_questions.end()) return;
  const Impl::DnsPlace place = std::move(asked->second);
  impl_->dns_questions.erase(asked);
  if (const auto* of_source = std::get_if<Impl::DriadPlace>(&place)) {
    impl_->handle_driad_answer(now, *of_source, answer);
  } else if (impl_->services) {
    impl_->handle_service_answer(now, std::get<ServiceQuestion>(place), answer);
  }
  impl_->drain(now);
}

void Client::handle_host_answer(Instant now, HostQuestionId question, const HostAnswer& answer) {
  const auto asked = impl_->host_questions.extract(question);
  if (!asked) return;
  impl_->names->handle_answer(now, asked.mapped(), answer);
  impl_->drain(now);
}

void Client::handle_source_answer(Instant now, const IpAddress& destination, const std::optional<IpAddress>& source) {
  impl_->sources.handle_answer(destination, source);
  impl_->drain(now);
}

void Client::handle_service_domains(Instant now, const ServiceDomains& domains) {
  if (!impl_->services || !impl_->asking_domains) return;
  impl_->asking_domains = false;
  impl_->services->start(now, domains);
  impl_->services_changed = true;
  impl_->drain(now);
}

bool Client::follows_network() const { return impl_->finds() || impl_->discovers_alone(); }

void Client::handle_network_change(Instant now) {
  if (!impl_->finds() || impl_->network_check_at != kNoDeadline) return;
  impl_->network_check_at = now + kNetworkCalm + impl_->random.between(Duration::zero(), kNetworkSpan);
}

}  // namespace amt
