#include "client/relay_probes.hh"

#include <algorithm>

namespace amt {
namespace {

ProbeResult result_of(const RelayProbe& probe) {
  return {probe.state(),
          probe.relay(),
          probe.seen_as(),
          probe.discovery_time(),
          probe.request_time(),
          probe.was_unreachable(),
          {}};
}

}  // namespace

std::string explain_failure(const ProbeResult& result) {
  if (!result.send_problem.empty()) return "cannot be reached from here: " + result.send_problem;
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

RelayProbes::Ticket RelayProbes::start(Instant now, const RelayProbeOptions& options) {
  probes_.try_emplace(next_ticket_, options, random_, now);
  return next_ticket_++;
}

void RelayProbes::stop(Ticket ticket) {
  probes_.erase(ticket);
  std::erase_if(results_, [ticket](const Result& result) { return result.ticket == ticket; });
}

void RelayProbes::handle_datagram(Instant now, const Endpoint& from, Bytes datagram) {
  for (auto& [ticket, probe] : probes_) probe.handle_datagram(now, from, datagram);
  collect_results();
}

void RelayProbes::handle_unreachable(const Endpoint& to) {
  for (auto& [ticket, probe] : probes_) probe.handle_unreachable(to);
}

void RelayProbes::handle_send_error(Ticket ticket, std::string problem) {
  const auto found = probes_.find(ticket);
  if (found == probes_.end()) return;
  ProbeResult result = result_of(found->second);
  // A message that could not be sent says nothing about the relay, but it counts as silence: no answer came.
  result.state =
      result.state == RelayProbe::State::kDiscovering ? RelayProbe::State::kNoDiscovery : RelayProbe::State::kNoAnswer;
  result.send_problem = std::move(problem);
  results_.push_back({ticket, std::move(result)});
  probes_.erase(found);
}

void RelayProbes::handle_timeout(Instant now) {
  for (auto& [ticket, probe] : probes_) probe.handle_timeout(now);
  collect_results();
}

void RelayProbes::collect_results() {
  std::erase_if(probes_, [this](const auto& entry) {
    const auto& [ticket, probe] = entry;
    if (!probe.is_over()) return false;
    results_.push_back({ticket, result_of(probe)});
    return true;
  });
}

std::optional<RelayProbes::Transmit> RelayProbes::poll_transmit() {
  for (auto& [ticket, probe] : probes_) {
    if (std::optional<RelayProbe::Transmit> message = probe.poll_transmit())
      return Transmit{ticket, std::move(*message)};
  }
  return std::nullopt;
}

std::optional<RelayProbes::Result> RelayProbes::poll_result() {
  if (results_.empty()) return std::nullopt;
  Result result = std::move(results_.front());
  results_.pop_front();
  return result;
}

Instant RelayProbes::next_deadline() const {
  Instant next = kNoDeadline;
  for (const auto& [ticket, probe] : probes_) next = std::min(next, probe.next_deadline());
  return next;
}

}  // namespace amt
