#pragma once
/// The AMTRELAY resource record (RFC 8777 §4): where the relays for one source's traffic are, said by the source's
/// owner under its reverse name.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "amt/ip_address.hh"
#include "amt/result.hh"
#include "base/byte_reader.hh"
#include "discovery/domain_name.hh"

namespace amt {

/// DNS type AMTRELAY; the record means the same in every class (RFC 8777 §4.1).
inline constexpr std::uint16_t kAmtRelayType = 260;

/// Type 0: "no relay should be used for traffic from this source" (RFC 8777 §4.2.4).
struct NoRelay {
  friend auto operator<=>(const NoRelay&, const NoRelay&) = default;
};

enum class AmtRelayError : std::uint8_t {
  kBadLength,    ///< the relay field does not fit its type (X-7.1-b)
  kBadName,      ///< type 3 with a compressed, broken or over-long name (D-4.2.3-a)
  kBadAddress,   ///< type 2 with an IPv4-mapped address: no such thing on the wire
  kUnroutable,   ///< an address of this host alone, of its link alone, or of no host: refused (see `read_amtrelay_set`)
  kUnknownType,  ///< 4 to 127 (D-4.2.3-b): this record is not for us, its neighbours may be
  kBadText,      ///< presentation form: not four fields, or one out of range
};
[[nodiscard]] std::string_view to_string(AmtRelayError error);

/// One record's data.
struct AmtRelay {
  /// Lower is tried first.
  std::uint8_t precedence = 0;
  /// The D bit: a Request may go to the relay directly, without a Relay Discovery before it.
  bool discovery_optional = false;
  std::variant<NoRelay, IpAddress, DomainName> relay;

  static Result<AmtRelay, AmtRelayError> parse(Bytes rdata);
  /// `10 0 1 203.0.113.15` (RFC 8777 §4.3.1), or the unknown-type form `\# 6 0a01cb00710f` (RFC 3597 §5).
  static Result<AmtRelay, AmtRelayError> parse_text(std::string_view text);

  [[nodiscard]] std::vector<std::byte> rdata() const;
  [[nodiscard]] std::string to_string() const;
  [[nodiscard]] std::string to_unknown_type_string() const;

  friend bool operator==(const AmtRelay&, const AmtRelay&) = default;
};

/// The records of one source, taken together.
struct AmtRelaySet {
  /// Those that name a relay, in the order given.
  std::vector<AmtRelay> relays;
  /// The owner says that no relay is to be used. A usable record beside that one wins (X-7.1-c).
  bool no_relay = false;
  /// Why records were skipped, for the log.
  std::vector<AmtRelayError> errors;
};
/// A set is bounded: further records are not looked at.
inline constexpr std::size_t kAmtRelayRecordsMax = 64;
/// The owner of a zone may write any address into it: loopback, link-local, multicast and unspecified ones are refused,
/// because a name must not make this host send to itself or to its links.
[[nodiscard]] AmtRelaySet read_amtrelay_set(std::span<const Bytes> records);

}  // namespace amt
