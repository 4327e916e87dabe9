#include "engine/relay_survey.hh"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "sys/clock.hh"

namespace amt {

std::string explain_failure(const SurveyResult& result) {
  if (result.send_error != 0) return std::string("cannot be reached from here: ") + std::strerror(result.send_error);
  const std::string unreachable = result.unreachable ? " (ICMP: unreachable)" : "";
  switch (result.state) {
    case RelayProbe::State::kLimited:
      return "refuses new gateways (L flag)";
    case RelayProbe::State::kNoDiscovery:
      return "does not answer Relay Discovery" + unreachable;
    case RelayProbe::State::kBadRelay:
      return "no relay can have";
    case RelayProbe::State::kConnected:
    case RelayProbe::State::kNoAnswer:
    case RelayProbe::State::kDiscovering:
    case RelayProbe::State::kRequesting:
      break;
  }
  return "does not answer a Request" + unreachable;
}

RelaySurvey::RelaySurvey(EventLoop& loop, Random& random, std::optional<IpAddress> local)
    : loop_(loop), random_(random), local_(local), timer_(loop, [this] { on_timer(); }) {}

RelaySurvey::Ticket RelaySurvey::ask(const RelayProbeOptions& options, ResultHandler on_result) {
  asked_.push_back({next_ticket_, RelayProbe(options, random_, monotonic_now()), std::move(on_result)});
  // From the event loop, as promised: not before the caller has returned to it.
  timer_.set(monotonic_now());
  return next_ticket_++;
}

void RelaySurvey::cancel(Ticket ticket) {
  std::erase_if(asked_, [ticket](const Asked& asked) { return asked.ticket == ticket; });
}

RelaySurvey::Port* RelaySurvey::port_for(Family family, int& error) {
  std::unique_ptr<Port>& port = family == Family::kIpv4 ? v4_ : v6_;
  if (!port) {
    SysResult<UdpSocket> socket = UdpSocket::bind({local_.value_or(IpAddress::unspecified(family)), 0}, {});
    if (!socket) {
      error = socket.error().code;
      return nullptr;
    }
    port = std::make_unique<Port>(Port{std::move(*socket), std::nullopt});
    port->watch.emplace(loop_, port->socket.fd(), [this, opened = port.get()] { on_readable(*opened); });
  }
  return port.get();
}

void RelaySurvey::send(Asked& asked, const RelayProbe::Transmit& transmit) {
  Port* port = port_for(transmit.to.address.family(), asked.send_error);
  if (port == nullptr) return;
  const Bytes piece = transmit.datagram;
  const Transmit message{.to = transmit.to, .pieces = {&piece, 1}};
  asked.send_error = 0;
  port->socket.send({&message, 1}, [&](const SendFailure& failure) { asked.send_error = failure.code; });
}

void RelaySurvey::on_readable(Port& port) {
  const Instant now = monotonic_now();
  while (true) {
    const SysResult<std::size_t> count = port.socket.receive(received_);
    if (!count || *count == 0) break;
    for (const Received& message : received_.received()) {
      message.for_each_datagram([&](Bytes datagram) {
        for (Asked& asked : asked_) asked.probe.handle_datagram(now, message.from, datagram);
      });
    }
  }
  port.socket.poll_errors([&](const SocketError& error) {
    if (!error.is_unreachable) return;
    for (Asked& asked : asked_) asked.probe.handle_unreachable(error.to);
  });
  advance();
}

void RelaySurvey::on_timer() {
  for (Asked& asked : asked_) asked.probe.handle_timeout(monotonic_now());
  advance();
}

void RelaySurvey::advance() {
  std::list<Asked> over;
  Instant next = kNoDeadline;
  for (auto asked = asked_.begin(); asked != asked_.end();) {
    const auto current = asked++;
    while (const std::optional<RelayProbe::Transmit> transmit = current->probe.poll_transmit()) {
      send(*current, *transmit);
    }
    if (current->probe.is_over() || current->send_error != 0) {
      over.splice(over.end(), asked_, current);
    } else {
      next = std::min(next, current->probe.next_deadline());
    }
  }
  timer_.set(next);
  for (const Asked& asked : over) {
    const RelayProbe& probe = asked.probe;
    // What the kernel would not send is no silence of the relay, but it counts as one: nothing came.
    const RelayProbe::State silent = probe.state() == RelayProbe::State::kDiscovering ? RelayProbe::State::kNoDiscovery
                                                                                      : RelayProbe::State::kNoAnswer;
    asked.on_result({probe.is_over() ? probe.state() : silent, probe.relay(), probe.seen_as(), probe.discovery_time(),
                     probe.request_time(), probe.was_unreachable(), asked.send_error});
  }
}

}  // namespace amt
