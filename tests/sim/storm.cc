#include "sim/storm.hh"

#include <algorithm>
#include <cstdio>

#include "ip/udp.hh"
#include "sim/groups.hh"
#include "wire/message.hh"

namespace amt::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;

/// Within so long all have joined before the loss.
constexpr Duration kJoining = seconds(1);
/// As often as a source can send without making the simulation slow: the loss is noticed a second after the last.
constexpr Duration kEmissionInterval = milliseconds(200);
constexpr Duration kDelayMin = milliseconds(5);
constexpr Duration kDelayMax = milliseconds(40);
/// `make bench`, group control: 190 000 Requests and 69 000 handshakes a second and core.
constexpr Duration kRequestCost = nanoseconds(1'000'000'000 / 190'000);
constexpr Duration kUpdateCost = nanoseconds(1'000'000'000 / 69'000) - kRequestCost;

const IpAddress& group() { return plans()[0].groups.front(); }
const IpAddress& source() { return plans()[0].sources.front(); }

Octets test_data() {
  HeaderFields header;
  header.source = source();
  header.destination = group();
  header.protocol = kProtocolUdp;
  header.hop_limit = 8;
  const std::array<std::byte, 8> payload{};
  std::vector<std::byte> octets(wire::kDataHeader.begin(), wire::kDataHeader.end());
  octets.resize(wire::kDataHeaderOctets + 64);
  const MutableBytes datagram = MutableBytes(octets).subspan(wire::kDataHeaderOctets);
  octets.resize(wire::kDataHeaderOctets + write_udp_datagram(datagram, header, 5000, 5000, payload));
  return std::make_shared<const std::vector<std::byte>>(std::move(octets));
}

IpAddress numbered(std::uint32_t network, std::size_t n) {
  return IpAddress::from_v4(network + static_cast<std::uint32_t>(n));
}

}  // namespace

Storm::Storm(const StormScenario& scenario)
    : scenario_(scenario), random_(scenario.seed), network_(random_, tally_), data_(test_data()) {
  network_.weather.delay_min = kDelayMin;
  network_.weather.delay_max = kDelayMax;
  using Origin = RelayOrigin;
  scenario_.search.order =
      scenario.asks_dns ? std::vector{Origin::kAnycast, Origin::kDriad} : std::vector{Origin::kDriad};
  constexpr std::uint32_t kRelayNetwork = 0xcb007101;    // 203.0.113.1
  constexpr std::uint32_t kGatewayNetwork = 0x0a000001;  // 10.0.0.1
  relays_.resize(1 + scenario.others);
  for (std::size_t i = 0; i < relays_.size(); ++i) {
    const bool anycast = i == 0 && scenario.asks_dns;
    relays_[i].endpoint = {anycast ? kRelayAnycast[0] : numbered(kRelayNetwork, i), kAmtPort};
    RelayOptions options;
    options.advertise_v4 = relays_[i].endpoint.address;
    options.limits.tunnels_max = i == 0 ? scenario.gateways : scenario.tunnels_max;
    relays_[i].relay = std::make_unique<Relay>(options, random_, now_);
    network_.route(relays_[i].endpoint, i);
  }
  nodes_.resize(scenario.gateways);
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    nodes_[i].address = numbered(kGatewayNetwork, i);
  }
}

Storm::~Storm() = default;

StormFigures Storm::run() {
  const Instant joining = now_;
  next_emission_ = now_ + kEmissionInterval;
  for (std::size_t i = 0; i < nodes_.size(); ++i) {
    run_until(joining + kJoining * static_cast<std::int64_t>(i) / static_cast<std::int64_t>(nodes_.size()));
    join(i);
  }
  run_until(now_ + seconds(1));
  if (scenario_.asks_dns) {
    for (std::size_t i = 0; i < nodes_.size(); ++i) want_source(i);
  }
  // In the middle between two packets.
  run_until(next_emission_ + kEmissionInterval * 9 / 2);
  lose();
  watch();
  for (const Host& host : relays_) {
    figures_.peak_10ms = std::max(figures_.peak_10ms, peak(host.arrivals, 10));
    figures_.peak_100ms = std::max(figures_.peak_100ms, peak(host.arrivals, 100));
    figures_.peak_1s = std::max(figures_.peak_1s, peak(host.arrivals, 1000));
  }
  figures_.dns_peak_100ms = peak(dns_queries_, 100);
  std::ranges::sort(served_);
  figures_.served = served_.size();
  if (served_.empty()) return figures_;
  figures_.half_served = served_[served_.size() / 2];
  figures_.most_served = served_[served_.size() * 99 / 100];
  figures_.last_served = served_.back();
  return figures_;
}

void Storm::watch() {
  const Instant end = now_ + scenario_.watched;
  Instant all_served = kNoDeadline;
  while (now_ < end && (all_served == kNoDeadline || now_ < all_served + seconds(1))) {
    run_until(std::min(end, now_ + milliseconds(100)));
    if (all_served == kNoDeadline && served_.size() == nodes_.size()) all_served = now_;
  }
}

double StormFigures::share(const StormScenario& scenario) {
  constexpr double kMessages = 5;
  const double span = std::chrono::duration<double>(scenario.gateway.silence_span).count();
  return kMessages * static_cast<double>(scenario.gateways) / static_cast<double>(scenario.others) / span;
}

void Storm::join(std::size_t node) {
  start(node);
  if (!scenario_.asks_dns) return want_source(node);
  // Something else comes through the anycast relay, so it is good, and the DNS need not be asked.
  static_cast<void>(nodes_[node].client->set_membership(now_, plans()[0].groups.back(), {FilterMode::kExclude, {}}));
  drain(node);
}

void Storm::want_source(std::size_t node) {
  static_cast<void>(nodes_[node].client->set_membership(now_, group(), {FilterMode::kInclude, {source()}}));
  drain(node);
}

void Storm::lose() {
  const auto bins = static_cast<std::size_t>(scenario_.watched / milliseconds(1)) + 1;
  for (Host& host : relays_) host.arrivals.assign(bins, 0);
  dns_queries_.assign(bins, 0);
  lost_at_ = now_;
  if (scenario_.source_pauses) {
    next_emission_ = kNoDeadline;
    return;
  }
  for (std::size_t i = 0; i < relays_.size(); ++i) {
    if (i == 0 || scenario_.others_dead) relays_[i].relay.reset();
  }
}

void Storm::run_until(Instant end) {
  while (true) {
    Instant next = std::min(network_.next_arrival(), next_emission_);
    if (!timers_.empty()) next = std::min(next, timers_.front().at);
    if (next > end) break;
    now_ = std::max(now_, next);
    if (network_.next_arrival() <= now_) {
      if (const auto arrival = network_.arrive()) deliver(arrival->first, arrival->second);
    } else if (next_emission_ <= now_) {
      emit();
    } else {
      run_timer();
    }
  }
  now_ = end;
}

void Storm::run_timer() {
  std::pop_heap(timers_.begin(), timers_.end());
  const Timer timer = timers_.back();
  timers_.pop_back();
  Node& node = nodes_[timer.node];
  if (timer.at != node.armed) return;
  node.armed = kNoDeadline;
  wake(timer.node);
}

void Storm::wake(std::size_t index) {
  Node& node = nodes_[index];
  if (node.answer_at <= now_) {
    node.answer_at = kNoDeadline;
    node.client->handle_dns_answer(now_, node.question, answer());
  } else {
    node.client->handle_timeout(now_);
  }
  drain(index);
}

void Storm::schedule(std::size_t index) {
  Node& node = nodes_[index];
  const Instant at = std::min(node.deadline, node.answer_at);
  if (at >= node.armed) return;
  node.armed = at;
  timers_.push_back({at, index});
  std::push_heap(timers_.begin(), timers_.end());
}

void Storm::emit() {
  next_emission_ = now_ + kEmissionInterval;
  for (std::size_t i = 0; i < relays_.size(); ++i) {
    const Host& host = relays_[i];
    if (!host.relay) continue;
    host.relay->targets(source(), group()).for_each([&](TunnelId id) {
      const RelayTunnel& tunnel = host.relay->tunnel(id);
      network_.send(now_, {.from = tunnel.local, .to = tunnel.endpoint, .octets = data_, .sender = i});
    });
  }
}

void Storm::deliver(HostId to, const Packet& packet) {
  if (to >= relays_.size()) return deliver_to_gateway(to - relays_.size(), packet);
  // What is sent to the one that is lost hurts nobody.
  if (to == 0 && now_ >= lost_at_ && !scenario_.source_pauses) return;
  deliver_to_relay(relays_[to], to, packet);
}

Duration Storm::cost(Bytes message) const {
  if (scenario_.cores == 0 || now_ < lost_at_) return Duration::zero();
  const bool update = wire::peek_type(message) == wire::MessageType::kMembershipUpdate;
  return std::chrono::duration_cast<Duration>((update ? kUpdateCost : kRequestCost) / scenario_.cores);
}

void Storm::deliver_to_relay(Host& host, HostId id, const Packet& packet) {
  if (now_ >= lost_at_) {
    ++host.arrivals[millisecond()];
    count(*packet.octets);
  }
  if (!host.relay) return;
  const Duration waiting = std::max(host.busy_until, now_) - now_;
  if (scenario_.cores > 0 && waiting > scenario_.socket_datagrams * kRequestCost / scenario_.cores) {
    ++figures_.overflowed;
    return;
  }
  host.busy_until = now_ + waiting + cost(*packet.octets);
  static_cast<void>(
      host.relay->handle_datagram(now_, TunnelEndpoint{packet.from}, LocalAddress{packet.to}, *packet.octets));
  for (RelayOutput output = host.relay->poll_output(); !std::holds_alternative<Deadline>(output);
       output = host.relay->poll_output()) {
    const auto* answer = std::get_if<RelayTransmit>(&output);
    if (answer == nullptr) continue;
    network_.send(host.busy_until, {.from = answer->from,
                                    .to = answer->to,
                                    .octets = std::make_shared<const std::vector<std::byte>>(answer->datagram.begin(),
                                                                                             answer->datagram.end()),
                                    .sender = id});
  }
}

void Storm::count(Bytes message) {
  const auto type = wire::peek_type(message);
  if (!type) return;
  if (*type == wire::MessageType::kRelayDiscovery) ++figures_.discoveries;
  if (*type == wire::MessageType::kRequest) ++figures_.requests;
  if (*type == wire::MessageType::kMembershipUpdate) ++figures_.updates;
}

std::size_t Storm::millisecond() const {
  return std::min(static_cast<std::size_t>((now_ - lost_at_) / milliseconds(1)), dns_queries_.size() - 1);
}

double Storm::peak(const std::vector<std::uint32_t>& arrivals, std::size_t milliseconds) {
  std::uint64_t sum = 0;
  std::uint64_t most = 0;
  for (std::size_t i = 0; i < arrivals.size(); ++i) {
    sum += arrivals[i];
    if (i >= milliseconds) sum -= arrivals[i - milliseconds];
    most = std::max(most, sum);
  }
  return static_cast<double>(most) * 1000 / static_cast<double>(milliseconds);
}

std::string to_string(const StormScenario& scenario, const StormFigures& figures) {
  const auto in_seconds = [](Duration duration) { return std::chrono::duration<double>(duration).count(); };
  const auto per_gateway = [&](std::uint64_t count) {
    return static_cast<double>(count) / static_cast<double>(scenario.gateways);
  };
  std::array<char, 600> text{};
  std::snprintf(text.data(), text.size(),
                "  busiest relay, messages/s: %.0f in 10 ms, %.0f in 100 ms, %.0f in 1 s\n"
                "  for each gateway: %.2f Discoveries, %.2f Requests, %.2f Updates, %.2f DNS queries; "
                "%.2f messages found a relay's socket full\n",
                figures.peak_10ms, figures.peak_100ms, figures.peak_1s, per_gateway(figures.discoveries),
                per_gateway(figures.requests), per_gateway(figures.updates), per_gateway(figures.dns_queries),
                per_gateway(figures.overflowed));
  std::string report = text.data();
  if (figures.dns_queries > 0) {
    std::snprintf(text.data(), text.size(), "  DNS queries/s: %.0f in 100 ms\n", figures.dns_peak_100ms);
    report += text.data();
  }
  if (figures.served > 0) {
    std::snprintf(text.data(), text.size(), "  data is back at %zu gateways: half %.2f s, 99 %% %.2f s, all %.2f s\n",
                  figures.served, in_seconds(figures.half_served), in_seconds(figures.most_served),
                  in_seconds(figures.last_served));
    report += text.data();
  }
  return report;
}

}  // namespace amt::sim
