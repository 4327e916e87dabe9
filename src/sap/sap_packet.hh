#pragma once
/// Session announcements on the wire (RFC 2974 §3, §6).

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "amt/endpoint.hh"
#include "amt/result.hh"
#include "base/byte_reader.hh"

namespace amt {

/// RFC 2974 §3: "SAP announcements MUST be sent on port 9875".
inline constexpr std::uint16_t kSapPort = 9875;
/// RFC 2974 §6: a packet "SHOULD NOT be greater than 1kByte"; some are. A larger one is refused.
inline constexpr std::size_t kSapOctetsMax = 4096;

enum class SapError : std::uint8_t { kMalformed, kTooLarge, kVersion, kEncrypted, kCompressed, kPayloadType };

/// One announcement, or the deletion of one.
struct SapPacket {
  bool is_deletion = false;
  /// With `origin` it names one version of one session; 0: it names nothing.
  std::uint16_t message_id_hash = 0;
  IpAddress origin{};
  /// It carries authentication data, which nobody here checks.
  bool is_signed = false;
  /// SDP (RFC 8866), as it came.
  std::string payload{};

  /// `datagram`: a UDP payload. Encrypted and compressed payloads are refused: RFC 2974 §7 advises against the one, and
  /// the other may grow without bound.
  static Result<SapPacket, SapError> parse(Bytes datagram);
  /// Without authentication data, with the payload type.
  [[nodiscard]] std::vector<std::byte> serialise() const;
};

/// A hash for `SapPacket::message_id_hash` (FNV-1a, folded); never 0. RFC 2974 §6: it changes when the payload does.
[[nodiscard]] std::uint16_t message_id_hash(std::string_view payload);

/// Where announcements of sessions on `group` are sent (RFC 2974 §3): the last address of an administrative scope of
/// IPv4 (RFC 2365), 224.2.127.254 for global scope; ff0x::2:7ffe with the scope of an IPv6 group.
[[nodiscard]] IpAddress announcement_group(const IpAddress& group);
/// All groups on which announcements are heard; `Family` by `Family`.
[[nodiscard]] std::vector<IpAddress> announcement_groups(Family family);

}  // namespace amt
