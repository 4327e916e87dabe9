/// From an IP datagram to a group message: header checks, and the parts that both protocols have alike.
#include <algorithm>
#include <array>

#include "membership/message_codec.hh"

namespace amt {
namespace {

IpAddress v6_multicast(std::uint8_t last) {
  std::array<std::byte, 16> octets{};
  octets[0] = std::byte{0xff};
  octets[1] = std::byte{0x02};
  octets[15] = std::byte{last};
  return IpAddress::from_v6(octets);
}

constexpr std::size_t kMessageOctetsMin = 8;
/// Of a record: type, auxiliary length, number of sources; then the group.
constexpr std::size_t kRecordFixedOctets = 4;

/// `count` addresses, which the caller has checked to be there. An address of the other family (a mapped one in MLD) is
/// left out.
SourceList read_addresses(ByteReader& in, Family family, std::size_t count) {
  const std::size_t octets = group_protocol(family).address_octets;
  SourceList list;
  list.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    const IpAddress address = IpAddress::from_bytes(in.bytes(octets));
    if (address.family() == family) list.push_back(address);
  }
  return to_source_list(list);
}

/// Is `destination` where the message has to go?
bool is_right_destination(const IpAddress& destination, const GroupProtocol& protocol, const GroupMessage& message,
                          std::span<const IpAddress> own_addresses) {
  const bool is_own = std::ranges::find(own_addresses, destination) != own_addresses.end();
  if (const auto* const query = std::get_if<GroupQuery>(&message)) {
    // RFC 3376 §4.1.12: General Queries to all systems, specific ones to the group; "a system MUST accept and process
    // any Query whose IP Destination Address field contains any of the addresses ... assigned to the interface".
    return is_own || destination == protocol.all_systems || (!query->is_general() && destination == query->group);
  }
  // §4.2.15: version 3 to 224.0.0.22, with no such exception.
  if (std::holds_alternative<GroupReport>(message)) return destination == protocol.report_destination;
  if (const auto* const report = std::get_if<OlderReport>(&message)) return is_own || destination == report->group;
  // RFC 2236 §3: "Routers SHOULD accept a Leave Group message addressed to the group being left".
  return is_own || destination == protocol.all_routers || destination == std::get<OlderLeave>(message).group;
}

/// IGMPv1 knows no Router Alert.
bool has_router_alert_by_protocol(Family family, const GroupMessage& message) {
  if (family == Family::kIpv6) return true;
  if (const auto* const query = std::get_if<GroupQuery>(&message)) return query->version > 1;
  if (const auto* const report = std::get_if<OlderReport>(&message)) return report->version > 1;
  return true;
}

/// A specific query names a multicast group.
bool is_sensible(const GroupMessage& message) {
  const auto* const query = std::get_if<GroupQuery>(&message);
  return query == nullptr || query->is_general() || query->group.is_multicast();
}

bool is_report_or_leave(const GroupMessage& message) { return !std::holds_alternative<GroupQuery>(message); }

bool demands_router_alert(const HeaderRules& rules, Family family, const GroupMessage& message) {
  if (!rules.router_alert || !has_router_alert_by_protocol(family, message)) return false;
  return !(rules.igmp_reports_without_router_alert && family == Family::kIpv4 && is_report_or_leave(message));
}

}  // namespace

const GroupProtocol& group_protocol(Family family) {
  static const GroupProtocol kIgmp = {
      .ip_protocol = kProtocolIgmp,
      .traffic_class = 0xc0,
      .address_octets = 4,
      .query_type = 0x11,
      .report_type = 0x22,
      .older_report_type = 0x16,
      .leave_type = 0x17,
      .all_systems = IpAddress::from_v4(0xe0000001),
      .all_routers = IpAddress::from_v4(0xe0000002),
      .report_destination = IpAddress::from_v4(0xe0000016),
  };
  static const GroupProtocol kMld = {
      .ip_protocol = kProtocolIcmpv6,
      .traffic_class = 0,
      .address_octets = 16,
      .query_type = 130,
      .report_type = 143,
      .older_report_type = 131,
      .leave_type = 132,
      .all_systems = v6_multicast(0x01),
      .all_routers = v6_multicast(0x02),
      .report_destination = v6_multicast(0x16),
  };
  return family == Family::kIpv4 ? kIgmp : kMld;
}

MessageResult read_query_tail(ByteReader in, GroupQuery query) {
  const Family family = query.group.family();
  const std::uint8_t flags = in.u8();
  query.suppress_router_processing = (flags & 0x08) != 0;
  query.robustness = flags & 0x07;
  query.query_interval = std::chrono::seconds(decode_code8(in.u8()));
  const std::size_t count = in.u16();
  if (!in.has(count * group_protocol(family).address_octets)) return Refused(GroupMessageError::kTruncated);
  // RFC 3376 §4.1.11: a General Query has neither group nor sources; sources without a group are none of the variants.
  if (query.is_general() && count > 0) return Refused(GroupMessageError::kNotMembership);
  query.sources = read_addresses(in, family, count);
  return GroupMessage(std::move(query));
}

/// A record, N sources and auxiliary data of Aux Data Len 32-bit words:
///
///     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
///     |  Record Type  |  Aux Data Len |     Number of Sources (N)     |
///     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
///     |               Multicast Address, 4 or 16 octets               |
///     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
MessageResult read_records(ByteReader in, Family family) {
  const std::size_t address_octets = group_protocol(family).address_octets;
  const std::size_t record_octets_min = kRecordFixedOctets + address_octets;
  const std::size_t count = in.u16();
  // I-n: no allocation for more than the octets can hold.
  if (!in.has(count * record_octets_min)) return Refused(GroupMessageError::kTruncated);
  GroupReport report;
  report.records.reserve(count);
  for (std::size_t i = 0; i < count; ++i) {
    if (!in.has(record_octets_min)) return Refused(GroupMessageError::kTruncated);
    const std::uint8_t type = in.u8();
    const std::size_t auxiliary_octets = in.u8() * std::size_t{4};
    const std::size_t sources = in.u16();
    GroupRecord record;
    record.group = IpAddress::from_bytes(in.bytes(address_octets));
    if (!in.has(sources * address_octets + auxiliary_octets)) return Refused(GroupMessageError::kTruncated);
    const bool is_known = type >= 1 && type <= 6;
    // RFC 3376 §4.2.12: "Unrecognized Record Type values MUST be silently ignored" (I-l). A group that is not of the
    // protocol's family is ignored, too.
    if (is_known && record.group.family() == family) {
      record.type = static_cast<RecordType>(type);
      record.sources = read_addresses(in, family, sources);
      report.records.push_back(std::move(record));
    } else {
      in.skip(sources * address_octets);
    }
    in.skip(auxiliary_octets);
  }
  return GroupMessage(std::move(report));
}

Result<GroupMessage, GroupMessageError> parse_group_message(const DatagramView& datagram, const HeaderRules& rules) {
  const Family family = datagram.family();
  const GroupProtocol& protocol = group_protocol(family);
  if (datagram.protocol != protocol.ip_protocol) return Refused(GroupMessageError::kNotMembership);
  if (datagram.is_fragment()) return Refused(GroupMessageError::kFragment);
  if (datagram.payload.size() < kMessageOctetsMin) return Refused(GroupMessageError::kTruncated);
  MessageResult message = family == Family::kIpv4 ? read_igmp(datagram) : read_mld(datagram);
  if (!message) return message;
  if (!is_sensible(*message)) return Refused(GroupMessageError::kNotMembership);
  // RFC 3376 §4, RFC 2236 §2, RFC 3810 §5, RFC 2710 §3: TTL / Hop Limit 1.
  if (datagram.hop_limit != 1) return Refused(GroupMessageError::kBadHopLimit);
  if (!is_right_destination(datagram.destination, protocol, *message, rules.own_addresses)) {
    return Refused(GroupMessageError::kBadDestination);
  }
  if (!datagram.router_alert && demands_router_alert(rules, family, *message)) {
    return Refused(GroupMessageError::kNoRouterAlert);
  }
  // I-k. `::` is allowed in reports only (RFC 3590).
  if (rules.link_local_source && family == Family::kIpv6 && !datagram.source.is_link_local() &&
      !(datagram.source.is_unspecified() && is_report_or_leave(*message))) {
    return Refused(GroupMessageError::kBadSource);
  }
  return message;
}

}  // namespace amt
