#include "library/c_values.hh"

#include <chrono>

namespace amt {

void fill(amt_error* error, const Failure& failure) {
  if (error == nullptr) return;
  error->status = failure.status;
  error->system_error = failure.system_error;
  const bool is_silent = failure.text.empty() && failure.status != AMT_OK;
  const std::string_view text = is_silent ? std::string_view(amt_status_text(failure.status)) : failure.text;
  const std::size_t octets = std::min(text.size(), sizeof error->text - 1);
  std::memcpy(error->text, text.data(), octets);
  std::memset(error->text + octets, 0, sizeof error->text - octets);
}

std::size_t copy_text(std::string_view text, char* out, std::size_t size) {
  if (out != nullptr && size != 0) {
    const std::size_t octets = std::min(size - 1, text.size());
    std::memcpy(out, text.data(), octets);
    out[octets] = 0;
  }
  return text.size();
}

amt_endpoint endpoint_of(const Endpoint& endpoint) {
  amt_endpoint out{};
  const auto octets = endpoint.address.bytes();
  std::memcpy(out.octets, octets.data(), octets.size());
  out.length = static_cast<std::uint8_t>(octets.size());
  out.port = endpoint.port;
  return out;
}

std::optional<Endpoint> endpoint_of(const amt_endpoint& endpoint) {
  if (endpoint.length != 4 && endpoint.length != 16) return std::nullopt;
  const Bytes octets = std::as_bytes(std::span(endpoint.octets)).first(endpoint.length);
  return Endpoint{IpAddress::from_bytes(octets), endpoint.port};
}

amt_packet packet_of(Instant arrival, const Payload& payload) {
  return {payload.octets.data(), payload.octets.size(), endpoint_of(payload.source), endpoint_of(payload.destination),
          nanoseconds_of(arrival)};
}

amt_receiver_statistics statistics_of(const Client& client) {
  amt_receiver_statistics all{};
  const PayloadDrops drops = client.payload_drops();
  all.other_ports = drops.other_port;
  all.dropped_damaged = drops.bad_checksum + drops.malformed + drops.reassembly;
  all.relay_changes = client.counters()[GatewayCounter::kRelayChanges];
  client.for_each_relay([&](const Endpoint&, const Gateway& gateway) {
    if (gateway.phase() == GatewayPhase::kConnected) all.connected = 1;
  });
  return all;
}

amt_level level_of(LogLevel level) {
  switch (level) {
    case LogLevel::kTrace:
    case LogLevel::kDebug:
      return AMT_LEVEL_DEBUG;
    case LogLevel::kInfo:
      return AMT_LEVEL_INFO;
    case LogLevel::kWarn:
      return AMT_LEVEL_WARNING;
    case LogLevel::kError:
      break;
  }
  return AMT_LEVEL_ERROR;
}

std::int64_t nanoseconds_of(Instant instant) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(instant.time_since_epoch()).count();
}

}  // namespace amt
