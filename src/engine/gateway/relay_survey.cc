#include "engine/gateway/relay_survey.hh"

#include <cstring>
#include <utility>

#include "sys/clock.hh"

namespace amt {

RelaySurvey::RelaySurvey(Loop& loop, Random& random, std::optional<IpAddress> local)
    : loop_(loop), local_(local), probes_(random), timer_(loop, [this] {
        probes_.handle_timeout(monotonic_now());
        drain();
      }) {}

RelaySurvey::Ticket RelaySurvey::ask(const RelayProbeOptions& options, ResultHandler on_result) {
  const Ticket ticket = probes_.start(monotonic_now(), options);
  handlers_[ticket] = std::move(on_result);
  // From the event loop, as promised: not before the caller has returned to it.
  timer_.set(monotonic_now());
  return ticket;
}

void RelaySurvey::cancel(Ticket ticket) {
  probes_.stop(ticket);
  handlers_.erase(ticket);
}

SysResult<UdpSocket*> RelaySurvey::socket_for(Family family) {
  std::unique_ptr<Port>& port = family == Family::kIpv4 ? v4_ : v6_;
  if (!port) {
    SysResult<UdpSocket> socket = UdpSocket::bind({local_.value_or(IpAddress::unspecified(family)), 0}, {});
    if (!socket) return Unexpected<SysError>(socket.error());
    port = std::make_unique<Port>(Port{std::move(*socket), std::nullopt});
    port->watch.emplace(loop_, port->socket.fd(), [this, opened = port.get()] { on_readable(*opened); });
  }
  return &port->socket;
}

void RelaySurvey::send(const RelayProbes::Transmit& transmit) {
  const SysResult<UdpSocket*> socket = socket_for(transmit.message.to.address.family());
  if (!socket) return probes_.handle_send_error(transmit.ticket, std::strerror(socket.error().code));
  const Bytes piece = transmit.message.datagram;
  const Transmit message{.to = transmit.message.to, .pieces = {&piece, 1}};
  (*socket)->send({&message, 1}, [&](const SendFailure& failure) {
    probes_.handle_send_error(transmit.ticket, std::strerror(failure.code));
  });
}

void RelaySurvey::on_readable(Port& port) {
  const Instant now = monotonic_now();
  while (true) {
    const SysResult<std::size_t> count = port.socket.receive(received_);
    if (!count || *count == 0) break;
    for (const Received& message : received_.received()) {
      message.for_each_datagram([&](Bytes datagram) { probes_.handle_datagram(now, message.from, datagram); });
    }
  }
  port.socket.poll_errors([&](const SocketError& error) {
    if (error.is_unreachable) probes_.handle_unreachable(error.to);
  });
  drain();
}

void RelaySurvey::drain() {
  while (const std::optional<RelayProbes::Transmit> transmit = probes_.poll_transmit()) send(*transmit);
  timer_.set(probes_.next_deadline());
  while (const std::optional<RelayProbes::Result> result = probes_.poll_result()) {
    // A handler may cancel another.
    if (const auto handler = handlers_.extract(result->ticket)) handler.mapped()(result->result);
  }
}

}  // namespace amt
