#pragma once
/// The seven AMT messages (RFC 7450 §5.1): parsed once, strictly, and written.
/// If one of these objects came out of `parse`, it is well-formed. Spans point into the received octets.
///
/// Reserved fields are sent as zero and ignored on receipt. Fixed-size messages that are too short are rejected,
/// longer ones are accepted and the surplus ignored (X-5.1-a); an Advertisement has exactly 12 or 24 octets
/// (X-5.1-b).

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "amt/endpoint.hh"
#include "amt/result.hh"
#include "base/byte_reader.hh"

namespace amt::wire {

enum class MessageType : std::uint8_t {
  kRelayDiscovery = 1,
  kRelayAdvertisement = 2,
  kRequest = 3,
  kMembershipQuery = 4,
  kMembershipUpdate = 5,
  kMulticastData = 6,
  kTeardown = 7,
};
[[nodiscard]] std::string_view to_string(MessageType type);

enum class ParseError : std::uint8_t {
  kEmpty,
  kBadVersion,  ///< RFC 7450 §5.2.3.2, §5.3.3.1: ignore any version but 0
  kUnknownType,
  kBadLength,  ///< shorter than its fixed part, or an Advertisement of neither length
};
[[nodiscard]] std::string_view to_string(ParseError error);

/// The type, when version is 0 and the type is one of the seven.
[[nodiscard]] Result<MessageType, ParseError> peek_type(Bytes message);

/// A 32-bit nonce as it stands on the wire. Two kinds, that do not mix.
template <typename Tag>
struct Nonce {
  std::uint32_t value = 0;
  friend constexpr auto operator<=>(const Nonce&, const Nonce&) = default;
};
using DiscoveryNonce = Nonce<struct DiscoveryNonceTag>;
using RequestNonce = Nonce<struct RequestNonceTag>;

/// 48 bits, opaque to a gateway (§5.1.4.6). Compare with `equal_constant_time`.
struct ResponseMac {
  std::array<std::byte, 6> octets{};
  friend constexpr bool operator==(const ResponseMac&, const ResponseMac&) = default;
};
[[nodiscard]] bool equal_constant_time(const ResponseMac& a, const ResponseMac& b);

/// Inner protocol that a Request asks for (P flag, §5.1.3.4).
enum class Protocol : std::uint8_t { kIgmp = 0, kMld = 1 };

inline constexpr std::size_t kDiscoveryOctets = 8;
inline constexpr std::size_t kRequestOctets = 8;
inline constexpr std::size_t kQueryHeaderOctets = 12;
inline constexpr std::size_t kUpdateHeaderOctets = 12;
inline constexpr std::size_t kGatewayFieldsOctets = 18;
inline constexpr std::size_t kDataHeaderOctets = 2;
inline constexpr std::size_t kTeardownOctets = 30;

/// §5.1.1
struct RelayDiscovery {
  DiscoveryNonce nonce;
  static Result<RelayDiscovery, ParseError> parse(Bytes message);
  void write(ByteWriter& out) const;
};

/// §5.1.2. The family of the address follows from the length.
struct RelayAdvertisement {
  DiscoveryNonce nonce;
  IpAddress relay;
  static Result<RelayAdvertisement, ParseError> parse(Bytes message);
  void write(ByteWriter& out) const;
};

/// §5.1.3, E flag: RFC 9601 §6.1.4.2.
struct Request {
  RequestNonce nonce;
  Protocol protocol = Protocol::kIgmp;
  /// E: the gateway decapsulates by RFC 6040.
  bool ecn_capable = false;
  /// P stood at 0x80, where the Linux kernel's gateway puts it (DESIGN, "G flag"); `write` then puts it there too.
  bool mirrored_flags = false;
  static Result<Request, ParseError> parse(Bytes message);
  void write(ByteWriter& out) const;
};

/// Address and port of the gateway as the relay saw them (§5.1.4.9); an IPv4 address is IPv4-compatible on the wire,
/// 96 zero bits and the address (R-5.1.4-c). Read back, 96 zero bits and a number of at least 2^24 are
/// IPv4; below that (`::`, `::1`) the address is IPv6.
struct GatewayFields {
  Endpoint endpoint;
  /// The address came IPv4-mapped, which §5.1.4.9.2 does not have, and is written so again: a Teardown copies the
  /// fields of a Query (§5.2.3.7.2), in the form that the relay gave them.
  bool ipv4_mapped = false;
  static GatewayFields read(ByteReader& in);
  void write(ByteWriter& out) const;
};

/// §5.1.4
struct MembershipQuery {
  ResponseMac mac;
  RequestNonce nonce;
  /// L: the relay takes no new tunnel endpoints.
  bool limit = false;
  /// Present if and only if the G flag is set: the last 18 octets of the message.
  std::optional<GatewayFields> gateway;
  /// The encapsulated IP datagram, and any octets after it up to the gateway fields or the end.
  Bytes datagram;
  static Result<MembershipQuery, ParseError> parse(Bytes message);
  void write(ByteWriter& out) const;
};

/// §5.1.5
struct MembershipUpdate {
  ResponseMac mac;
  RequestNonce nonce;
  Bytes datagram;
  static Result<MembershipUpdate, ParseError> parse(Bytes message);
  void write(ByteWriter& out) const;
};

/// §5.1.6. The relay's data path writes the two header octets in place: `kDataHeader`.
struct MulticastData {
  Bytes datagram;
  static Result<MulticastData, ParseError> parse(Bytes message);
};
inline constexpr std::array<std::byte, kDataHeaderOctets> kDataHeader{std::byte{0x06}, std::byte{0x00}};

/// §5.1.7
struct Teardown {
  ResponseMac mac;
  RequestNonce nonce;
  GatewayFields gateway;
  static Result<Teardown, ParseError> parse(Bytes message);
  void write(ByteWriter& out) const;
};

}  // namespace amt::wire
