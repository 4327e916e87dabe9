#include "engine/gateway_connection.hh"

#include <algorithm>
#include <array>
#include <cstring>
#include <string_view>
#include <vector>

#include "io/udp_socket.hh"
#include "sys/clock.hh"
#include "sys/lasting_port.hh"
#include "sys/log.hh"

namespace amt {
namespace {

// RFC 6040 §4.2: alarms are rate-limited.
constexpr Duration kEcnAlarmInterval = std::chrono::minutes(1);
/// Then the loop's other work comes: timers, and who else waits. A few milliseconds at most.
constexpr std::size_t kDatagramsPerTurn = 768;
// With receive offload a slot holds up to 64 KB of one flow.
constexpr std::size_t kReceiveSlots = 64;

SysResult<UdpSocket> bind_socket(const IpAddress& address, const GatewayConnectionOptions& options,
                                 const UdpOptions& socket_options) {
  if (options.port == 0 && !options.port_purpose.empty()) {
    if (const auto port = lasting_port(options.port_purpose)) {
      SysResult<UdpSocket> socket = UdpSocket::bind({address, *port}, socket_options);
      // Anything but a port in use will be told below.
      if (socket) return socket;
    }
  }
  return UdpSocket::bind({address, options.port}, socket_options);
}

void log_event(const GatewayEvent& event) {
  const std::string endpoint = event.endpoint.to_string();
  switch (event.kind) {
    case GatewayEvent::Kind::kDiscovering:
      return log_info("looking for a relay at {}", endpoint);
    case GatewayEvent::Kind::kRelayFound:
      return log_info("relay {} found", endpoint);
    case GatewayEvent::Kind::kRelayAnswers:
      return log_info("relay {} answers", endpoint);
    case GatewayEvent::Kind::kRelayLimit:
      return log_warn("relay {} refuses new gateways (L flag)", endpoint);
    case GatewayEvent::Kind::kDataStopped:
      return log_debug("nothing of {} comes through relay {} any more, asking it",
                       event.source ? event.source->to_string() : "any source", endpoint);
    case GatewayEvent::Kind::kRelayAlive:
      return log_debug("relay {} answers", endpoint);
    case GatewayEvent::Kind::kUnreachable:
      return log_debug("relay {} is unreachable, says ICMP", endpoint);
    case GatewayEvent::Kind::kRelaySilent:
      return log_warn("relay {} does not answer, asking again", endpoint);
    case GatewayEvent::Kind::kRelayLost:
      return log_warn("relay {} does not answer, going on without it", endpoint);
    case GatewayEvent::Kind::kEndpointChanged:
      return log_info("the relay now sees this gateway as {}", endpoint);
  }
}

std::string_view name_of(Ecn ecn) {
  constexpr std::array<std::string_view, 4> kNames = {"Not-ECT", "ECT(1)", "ECT(0)", "CE"};
  return kNames.at(static_cast<std::size_t>(ecn));
}

}  // namespace

struct GatewayConnection::Impl {
  Impl(EventLoop& event_loop, const GatewayConnectionOptions& given, Random& random, DataHandler data_handler,
       EventHandler event_handler)
      : loop(event_loop),
        options(given),
        gateway(options.gateway, random, monotonic_now()),
        on_data(std::move(data_handler)),
        on_event(std::move(event_handler)),
        timer(loop, [this] { on_timer(); }) {}

  /// A socket for each family among them.
  SysResult<void> open_for(const std::vector<RelayCandidate>& candidates);
  void on_readable(UdpSocket& socket);
  void on_timer();
  void drain_outputs();
  void tell_ecn_mismatches(Instant now);
  void send(const GatewayTransmit& transmit);

  EventLoop& loop;
  GatewayConnectionOptions options;
  Gateway gateway;
  DataHandler on_data;
  EventHandler on_event;
  ReceiveBatch received{kReceiveSlots};
  std::vector<Bytes> data;
  std::uint64_t ecn_mismatches_told = 0;
  Instant next_ecn_alarm = Instant::min();
  int send_error = 0;
  /// By family, IPv4 first.
  std::array<bool, 2> is_open{};
  /// At most one for each family.
  std::vector<std::unique_ptr<UdpSocket>> sockets;
  Timer timer;
  // Last: they end before what their handlers use.
  std::vector<ReadWatch> watches;
};

SysResult<void> GatewayConnection::Impl::open_for(const std::vector<RelayCandidate>& candidates) {
  UdpOptions socket_options;
  socket_options.receive_offload = true;
  socket_options.first_octet_without_checksum = static_cast<std::uint8_t>(wire::MessageType::kMulticastData);
  for (const Family family : {Family::kIpv4, Family::kIpv6}) {
    const std::size_t at = family == Family::kIpv4 ? 0 : 1;
    const bool needed = std::ranges::any_of(candidates, [family](const RelayCandidate& candidate) {
      return candidate.endpoint.address.family() == family;
    });
    if (!needed || is_open[at]) continue;
    const bool local_fits = options.local && options.local->family() == family;
    SysResult<UdpSocket> socket =
        bind_socket(local_fits ? *options.local : IpAddress::unspecified(family), options, socket_options);
    if (!socket) return Unexpected<SysError>(socket.error());
    is_open[at] = true;
    sockets.push_back(std::make_unique<UdpSocket>(std::move(*socket)));
    watches.emplace_back(loop, sockets.back()->fd(), [this, &opened = *sockets.back()] { on_readable(opened); });
  }
  return {};
}

void GatewayConnection::Impl::on_readable(UdpSocket& socket) {
  for (std::size_t datagrams = 0; datagrams < kDatagramsPerTurn;) {
    const Instant now = monotonic_now();
    const SysResult<std::size_t> count = socket.receive(received);
    if (!count) {
      log_warn("{}", count.error().to_string());
      break;
    }
    if (*count == 0) break;
    data.clear();
    for (const Received& message : received.received()) {
      message.for_each_datagram([&](MutableBytes datagram) {
        ++datagrams;
        // A reject is counted by the gateway; there is nobody to tell.
        if (wire::peek_type(datagram) == wire::MessageType::kMulticastData) {
          if (const auto inner =
                  gateway.accept_data(now, message.from, message.ecn, datagram, options.verify_transport)) {
            data.push_back(*inner);
          }
        } else {
          static_cast<void>(gateway.handle_control(now, message.from, datagram));
          drain_outputs();
        }
      });
    }
    tell_ecn_mismatches(now);
    if (!data.empty()) on_data(now, data);
  }
  socket.poll_errors([&](const SocketError& error) { gateway.handle_unreachable(monotonic_now(), error.to); });
  drain_outputs();
}

void GatewayConnection::Impl::tell_ecn_mismatches(Instant now) {
  const std::uint64_t count = gateway.counters()[GatewayCounter::kEcnMismatch];
  if (count == ecn_mismatches_told || now < next_ecn_alarm) return;
  const EcnPair last = gateway.last_ecn_mismatch();
  log_warn("{} datagrams with congestion marks that should not occur together, the last one inner {}, outer {}",
           count - ecn_mismatches_told, name_of(last.inner), name_of(last.outer));
  ecn_mismatches_told = count;
  next_ecn_alarm = now + kEcnAlarmInterval;
}

void GatewayConnection::Impl::on_timer() {
  gateway.handle_timeout(monotonic_now());
  drain_outputs();
}

void GatewayConnection::Impl::drain_outputs() {
  for (;;) {
    const GatewayOutput output = gateway.poll_output();
    if (const auto* transmit = std::get_if<GatewayTransmit>(&output)) {
      send(*transmit);
    } else if (const auto* event = std::get_if<GatewayEvent>(&output)) {
      log_event(*event);
      if (on_event) on_event(*event);
    } else {
      timer.set(std::get<GatewayDeadline>(output).at);
      return;
    }
  }
}

void GatewayConnection::Impl::send(const GatewayTransmit& transmit) {
  const Bytes piece(transmit.datagram.data(), transmit.datagram.size());
  const Transmit message{.to = transmit.to, .pieces = {&piece, 1}};
  for (const std::unique_ptr<UdpSocket>& socket : sockets) {
    if (socket->local().address.family() != transmit.to.address.family()) continue;
    int code = 0;
    socket->send({&message, 1}, [&code](const SendFailure& failure) { code = failure.code; });
    if (code != 0 && code != send_error) {
      log_warn("relay {} cannot be reached from here: {}", transmit.to.to_string(), std::strerror(code));
    }
    send_error = code;
  }
}

SysResult<std::unique_ptr<GatewayConnection>> GatewayConnection::create(EventLoop& loop,
                                                                        const GatewayConnectionOptions& options,
                                                                        Random& random, DataHandler on_data,
                                                                        EventHandler on_event) {
  auto impl = std::make_unique<Impl>(loop, options, random, std::move(on_data), std::move(on_event));
  if (const SysResult<void> opened = impl->open_for(options.gateway.candidates); !opened) {
    return Unexpected<SysError>(opened.error());
  }
  impl->drain_outputs();
  return std::unique_ptr<GatewayConnection>(new GatewayConnection(std::move(impl)));
}

GatewayConnection::GatewayConnection(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
GatewayConnection::~GatewayConnection() = default;

bool GatewayConnection::set_membership(const IpAddress& group, const SourceFilter& filter) {
  const bool accepted = impl_->gateway.set_membership(monotonic_now(), group, filter);
  impl_->drain_outputs();
  return accepted;
}

SysResult<void> GatewayConnection::set_candidates(std::vector<RelayCandidate> candidates) {
  if (SysResult<void> opened = impl_->open_for(candidates); !opened) return opened;
  impl_->gateway.set_candidates(monotonic_now(), std::move(candidates));
  impl_->drain_outputs();
  return {};
}

void GatewayConnection::shutdown() {
  impl_->watches.clear();
  impl_->gateway.shutdown(monotonic_now());
  impl_->drain_outputs();
  impl_->timer.set(kNoDeadline);
}

int GatewayConnection::send_error() const { return impl_->send_error; }

const Gateway& GatewayConnection::gateway() const { return impl_->gateway; }

std::uint64_t GatewayConnection::receive_drops() const {
  std::uint64_t drops = 0;
  for (const std::unique_ptr<UdpSocket>& socket : impl_->sockets) drops += socket->receive_drops();
  return drops;
}

}  // namespace amt
