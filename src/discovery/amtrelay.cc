#include "discovery/amtrelay.hh"

#include <algorithm>
#include <charconv>
#include <optional>

#include "ip/address.hh"

namespace amt {
namespace {

//  0                   1
//  0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5
// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
// |   precedence  |D|    type     |  relay ...
// +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
constexpr std::uint8_t kDiscoveryOptional = 0x80;
constexpr std::uint8_t kTypeMask = 0x7f;
constexpr std::size_t kFixedOctets = 2;

enum Type : std::uint8_t { kNone = 0, kIpv4 = 1, kIpv6 = 2, kName = 3 };

std::uint8_t type_of(const AmtRelay& record) {
  if (const auto* address = std::get_if<IpAddress>(&record.relay)) return address->is_v4() ? kIpv4 : kIpv6;
  return std::holds_alternative<DomainName>(record.relay) ? kName : kNone;
}

/// Up to `Max` fields between blanks; none when there are more.
template <std::size_t Max>
std::optional<std::vector<std::string_view>> split(std::string_view text) {
  constexpr std::string_view kBlanks = " \t";
  std::vector<std::string_view> fields;
  for (std::size_t at = text.find_first_not_of(kBlanks); at != std::string_view::npos;) {
    const std::size_t end = std::min(text.find_first_of(kBlanks, at), text.size());
    if (fields.size() == Max) return std::nullopt;
    fields.push_back(text.substr(at, end - at));
    at = text.find_first_not_of(kBlanks, end);
  }
  return fields;
}

std::optional<unsigned> number(std::string_view text, unsigned max) {
  unsigned value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value > max) return std::nullopt;
  return value;
}

std::optional<unsigned> nibble(char c) {
  unsigned value = 0;
  const auto [end, error] = std::from_chars(&c, &c + 1, value, 16);
  return error == std::errc{} ? std::optional(value) : std::nullopt;
}

/// `\# LENGTH HEX...`, the digits in any number of fields.
Result<AmtRelay, AmtRelayError> parse_unknown_type_text(std::span<const std::string_view> fields) {
  const tl::unexpected<AmtRelayError> bad(AmtRelayError::kBadText);
  const std::optional<unsigned> length = fields.empty() ? std::nullopt : number(fields[0], 0xffff);
  if (!length) return bad;
  std::string digits;
  for (const std::string_view field : fields.subspan(1)) digits += field;
  if (digits.size() != std::size_t{*length} * 2) return bad;
  std::vector<std::byte> rdata;
  for (std::size_t i = 0; i < digits.size(); i += 2) {
    const std::optional<unsigned> high = nibble(digits[i]);
    const std::optional<unsigned> low = nibble(digits[i + 1]);
    if (!high || !low) return bad;
    rdata.push_back(static_cast<std::byte>(*high << 4 | *low));
  }
  return AmtRelay::parse(rdata);
}

}  // namespace

std::string_view to_string(AmtRelayError error) {
  switch (error) {
    case AmtRelayError::kBadLength:
      return "wrong length for its type";
    case AmtRelayError::kBadName:
      return "no uncompressed domain name";
    case AmtRelayError::kBadAddress:
      return "an IPv4 address in IPv6 form";
    case AmtRelayError::kUnroutable:
      return "loopback, link-local, multicast or unspecified address";
    case AmtRelayError::kUnknownType:
      return "unknown relay type";
    case AmtRelayError::kBadText:
      break;
  }
  return "not of the form \"PRECEDENCE D TYPE RELAY\"";
}

Result<AmtRelay, AmtRelayError> AmtRelay::parse(Bytes rdata) {
  ByteReader in(rdata);
  if (!in.has(kFixedOctets)) return tl::unexpected(AmtRelayError::kBadLength);
  AmtRelay record;
  record.precedence = in.u8();
  const std::uint8_t flags = in.u8();
  record.discovery_optional = (flags & kDiscoveryOptional) != 0;
  const Bytes relay = in.rest();
  switch (flags & kTypeMask) {
    case kNone:
      if (!relay.empty()) return tl::unexpected(AmtRelayError::kBadLength);
      break;
    case kIpv4:
      if (relay.size() != 4) return tl::unexpected(AmtRelayError::kBadLength);
      record.relay = IpAddress::from_bytes(relay);
      break;
    case kIpv6:
      if (relay.size() != 16) return tl::unexpected(AmtRelayError::kBadLength);
      record.relay = IpAddress::from_bytes(relay);
      if (std::get<IpAddress>(record.relay).is_v4()) return tl::unexpected(AmtRelayError::kBadAddress);
      break;
    case kName: {
      // RFC 8777 §4.2.3: "The wire-encoded domain name MUST NOT be compressed."
      const std::optional<DomainName> name = DomainName::from_wire(relay);
      if (!name) return tl::unexpected(AmtRelayError::kBadName);
      record.relay = *name;
      break;
    }
    default:
      return tl::unexpected(AmtRelayError::kUnknownType);
  }
  return record;
}

Result<AmtRelay, AmtRelayError> AmtRelay::parse_text(std::string_view text) {
  const tl::unexpected<AmtRelayError> bad(AmtRelayError::kBadText);
  constexpr std::size_t kFieldsMax = 64;
  const std::optional<std::vector<std::string_view>> fields = split<kFieldsMax>(text);
  if (!fields) return bad;
  if (!fields->empty() && fields->front() == "\\#") {
    return parse_unknown_type_text(std::span(*fields).subspan(1));
  }
  if (fields->size() != 4) return bad;
  const std::optional<unsigned> precedence = number((*fields)[0], 255);
  const std::optional<unsigned> discovery_optional = number((*fields)[1], 1);
  const std::optional<unsigned> type = number((*fields)[2], kTypeMask);
  const std::string_view relay = (*fields)[3];
  if (!precedence || !discovery_optional || !type) return bad;
  AmtRelay record{static_cast<std::uint8_t>(*precedence), *discovery_optional == 1, {}};
  if (*type > kName) return tl::unexpected(AmtRelayError::kUnknownType);
  if (*type == kNone) {
    if (relay != ".") return bad;
  } else if (*type == kName) {
    const std::optional<DomainName> name = DomainName::parse(relay);
    if (!name) return tl::unexpected(AmtRelayError::kBadName);
    record.relay = *name;
  } else {
    const std::optional<IpAddress> address = IpAddress::parse(relay);
    if (!address || address->is_v4() != (*type == kIpv4)) return bad;
    record.relay = *address;
  }
  return record;
}

std::vector<std::byte> AmtRelay::rdata() const {
  std::vector<std::byte> octets(kFixedOctets);
  ByteWriter out(octets);
  out.u8(precedence);
  out.u8(static_cast<std::uint8_t>((discovery_optional ? kDiscoveryOptional : 0) | type_of(*this)));
  Bytes field;
  if (const auto* address = std::get_if<IpAddress>(&relay)) field = address->bytes();
  if (const auto* name = std::get_if<DomainName>(&relay)) field = name->wire();
  octets.insert(octets.end(), field.begin(), field.end());
  return octets;
}

std::string AmtRelay::to_string() const {
  std::string text =
      std::to_string(precedence) + (discovery_optional ? " 1 " : " 0 ") + std::to_string(type_of(*this)) + ' ';
  if (const auto* address = std::get_if<IpAddress>(&relay)) return text + address->to_string();
  if (const auto* name = std::get_if<DomainName>(&relay)) return text + name->to_string();
  return text + '.';
}

std::string AmtRelay::to_unknown_type_string() const {
  constexpr std::string_view kHex = "0123456789abcdef";
  const std::vector<std::byte> octets = rdata();
  std::string text = "\\# " + std::to_string(octets.size()) + ' ';
  for (const std::byte octet : octets) {
    text += kHex[std::to_integer<std::size_t>(octet >> 4)];
    text += kHex[std::to_integer<std::size_t>(octet & std::byte{0xf})];
  }
  return text;
}

AmtRelaySet read_amtrelay_set(std::span<const Bytes> records) {
  AmtRelaySet set;
  bool refused = false;
  for (const Bytes rdata : records.first(std::min(records.size(), kAmtRelayRecordsMax))) {
    Result<AmtRelay, AmtRelayError> record = AmtRelay::parse(rdata);
    if (!record) {
      set.errors.push_back(record.error());
    } else if (std::holds_alternative<NoRelay>(record->relay)) {
      refused = true;
    } else if (const auto* address = std::get_if<IpAddress>(&record->relay);
               address != nullptr && !is_routed_unicast(*address)) {
      set.errors.push_back(AmtRelayError::kUnroutable);
    } else {
      set.relays.push_back(std::move(*record));
    }
  }
  set.no_relay = refused && set.relays.empty();
  return set;
}

}  // namespace amt
