#include "wire/message.hh"

#include "wire/header.hh"

namespace amt::wire {

std::string_view to_string(MessageType type) {
  switch (type) {
    case MessageType::kRelayDiscovery:
      return "Relay Discovery";
    case MessageType::kRelayAdvertisement:
      return "Relay Advertisement";
    case MessageType::kRequest:
      return "Request";
    case MessageType::kMembershipQuery:
      return "Membership Query";
    case MessageType::kMembershipUpdate:
      return "Membership Update";
    case MessageType::kMulticastData:
      return "Multicast Data";
    case MessageType::kTeardown:
      return "Teardown";
  }
  return "unknown";
}

std::string_view to_string(ParseError error) {
  switch (error) {
    case ParseError::kEmpty:
      return "empty";
    case ParseError::kBadVersion:
      return "bad version";
    case ParseError::kUnknownType:
      return "unknown type";
    case ParseError::kBadLength:
      return "bad length";
  }
  return "unknown";
}

Result<MessageType, ParseError> peek_type(Bytes message) {
  if (message.empty()) return Unexpected<ParseError>(ParseError::kEmpty);
  const unsigned octet = std::to_integer<unsigned>(message[0]);
  // RFC 7450 §5.2.3.2, §5.3.3.1: a message with a version other than 0 "MUST" be ignored.
  if (octet >> 4 != 0) return Unexpected<ParseError>(ParseError::kBadVersion);
  const unsigned type = octet & 0x0f;
  if (type < static_cast<unsigned>(MessageType::kRelayDiscovery) ||
      type > static_cast<unsigned>(MessageType::kTeardown)) {
    return Unexpected<ParseError>(ParseError::kUnknownType);
  }
  return static_cast<MessageType>(type);
}

Result<ByteReader, ParseError> open_message(Bytes message, MessageType type, std::size_t octets_min) {
  const Result<MessageType, ParseError> actual = peek_type(message);
  if (!actual) return Unexpected<ParseError>(actual.error());
  if (*actual != type) return Unexpected<ParseError>(ParseError::kUnknownType);
  if (message.size() < octets_min) return Unexpected<ParseError>(ParseError::kBadLength);
  return ByteReader(message.subspan(1));
}

void write_first_octet(ByteWriter& out, MessageType type) { out.u8(static_cast<std::uint8_t>(type)); }

bool equal_constant_time(const ResponseMac& a, const ResponseMac& b) {
  std::byte difference{0};
  for (std::size_t i = 0; i < a.octets.size(); ++i) difference |= a.octets[i] ^ b.octets[i];
  return difference == std::byte{0};
}

}  // namespace amt::wire
