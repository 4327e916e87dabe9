/// What a caller of the core has to do, as structs of C.

#include <limits>
#include <variant>

#include "library/c_values.hh"
#include "library/core.hh"

namespace amt {

amt_output LibraryCore::poll() {
  amt_output out{};
  output_ = client_.poll_output();
  is_polled_ = std::holds_alternative<ClientDeadline>(output_);
  std::visit([&](const auto& one) { describe(one, out); }, output_);
  return out;
}

void LibraryCore::describe(const ClientDeadline& deadline, amt_output& out) {
  out.kind = AMT_OUTPUT_DEADLINE;
  out.deadline_ns = deadline.at == kNoDeadline ? AMT_NO_DEADLINE : nanoseconds_of(deadline.at);
}

void LibraryCore::describe(const ClientPackets& packets, amt_output& out) {
  packets_.clear();
  for (const Payload& payload : packets.payloads) {
    packets_.push_back(packet_of(now_, payload));
    octet_count_ += payload.octets.size();
  }
  packet_count_ += packets_.size();
  out.kind = AMT_OUTPUT_PACKETS;
  out.packets = packets_.data();
  out.packet_count = packets_.size();
}

void LibraryCore::describe(const ClientTransmit& message, amt_output& out) const {
  out.kind = AMT_OUTPUT_TRANSMIT;
  out.socket = static_cast<std::uint32_t>(message.socket);
  out.endpoint = endpoint_of(message.to);
  out.octets = message.datagram.data();
  out.size = message.datagram.size();
}

void LibraryCore::describe(const OpenSocket& wanted, amt_output& out) const {
  out.kind = AMT_OUTPUT_OPEN_SOCKET;
  out.socket = static_cast<std::uint32_t>(wanted.socket);
  out.endpoint = endpoint_of(Endpoint{wanted.local.value_or(IpAddress::unspecified(wanted.family)), wanted.port});
}

void LibraryCore::describe(const CloseSocket& close, amt_output& out) const {
  out.kind = AMT_OUTPUT_CLOSE_SOCKET;
  out.socket = static_cast<std::uint32_t>(close.socket);
}

void LibraryCore::describe(const AskDns& ask, amt_output& out) const {
  out.kind = AMT_OUTPUT_ASK_DNS;
  out.question = static_cast<std::uint64_t>(ask.question);
  out.record_type = ask.type;
  out.text = ask.name.c_str();
}

void LibraryCore::describe(const AskSource& ask, amt_output& out) const {
  out.kind = AMT_OUTPUT_ASK_SOURCE;
  out.endpoint = endpoint_of(Endpoint{ask.destination, 0});
}

void LibraryCore::describe(const AskServiceDomains&, amt_output& out) const { out.kind = AMT_OUTPUT_ASK_DOMAINS; }

void LibraryCore::describe(const RelayChosen& chosen, amt_output& out) const {
  out.kind = AMT_OUTPUT_RELAY;
  out.endpoint = endpoint_of(Endpoint{chosen.relay, 0});
}

void LibraryCore::describe(const ClientEvent& event, amt_output& out) const {
  out.kind = AMT_OUTPUT_EVENT;
  out.level = level_of(event.level);
  out.text = event.text.c_str();
}

}  // namespace amt
