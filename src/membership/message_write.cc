/// Queries and reports as whole IP datagrams, and names for logs.
#include <algorithm>

#include "base/assert.hh"
#include "ip/checksum.hh"
#include "membership/message_codec.hh"

namespace amt {
namespace {

constexpr std::size_t kReportFixedOctets = 8;
constexpr std::size_t kRecordFixedOctets = 4;
constexpr std::size_t kDatagramOctetsMax = 65535;
/// Both protocols have the checksum here.
constexpr std::size_t kChecksumAt = 2;

HeaderFields header_for(const GroupProtocol& protocol, const IpAddress& source, const IpAddress& destination) {
  HeaderFields header;
  header.source = source;
  header.destination = destination;
  header.protocol = protocol.ip_protocol;
  header.traffic_class = protocol.traffic_class;
  header.hop_limit = 1;
  header.router_alert = true;
  return header;
}

/// A datagram whose payload `write_payload` writes with a zero checksum, which is then filled in.
template <typename F>
std::vector<std::byte> write_datagram(const HeaderFields& header, std::size_t payload_octets, const F& write_payload) {
  const std::size_t before_payload = header_octets(header);
  AMT_ASSERT(before_payload + payload_octets <= kDatagramOctetsMax);
  std::vector<std::byte> datagram(before_payload + payload_octets);
  ByteWriter out(datagram);
  write_header(out, header, payload_octets);
  write_payload(out);
  AMT_ASSERT(out.written() == datagram.size());

  const MutableBytes payload = MutableBytes(datagram).subspan(before_payload);
  InternetChecksum sum;
  if (header.protocol == kProtocolIcmpv6) {
    sum.add_pseudo_header(header.source, header.destination, header.protocol,
                          static_cast<std::uint32_t>(payload_octets));
  }
  sum.add(payload);
  ByteWriter(payload.subspan(kChecksumAt)).u16(sum.value());
  return datagram;
}

/// The form that all messages of the older versions have: type, group and nothing else.
std::vector<std::byte> write_older(const HeaderFields& header, std::uint8_t type, const IpAddress& group) {
  const bool is_mld = header.protocol == kProtocolIcmpv6;
  return write_datagram(header, is_mld ? 24 : 8, [&](ByteWriter& out) {
    out.u8(type);
    out.zeros(is_mld ? 7 : 3);
    out.bytes(group.bytes());
  });
}

/// Whole units of `value`, limited to 32 bits.
template <typename Unit>
std::uint32_t count_of(Duration value) {
  const auto count = std::chrono::duration_cast<Unit>(value).count();
  return static_cast<std::uint32_t>(std::clamp<std::int64_t>(count, 0, 0xffffffffLL));
}

}  // namespace

std::string_view to_string(RecordType type) {
  switch (type) {
    case RecordType::kModeIsInclude:
      return "IS_IN";
    case RecordType::kModeIsExclude:
      return "IS_EX";
    case RecordType::kChangeToInclude:
      return "TO_IN";
    case RecordType::kChangeToExclude:
      return "TO_EX";
    case RecordType::kAllowNewSources:
      return "ALLOW";
    case RecordType::kBlockOldSources:
      return "BLOCK";
  }
  return "unknown";
}

std::string_view to_string(GroupMessageError error) {
  switch (error) {
    case GroupMessageError::kNotMembership:
      return "no membership message";
    case GroupMessageError::kFragment:
      return "a fragment";
    case GroupMessageError::kTruncated:
      return "truncated";
    case GroupMessageError::kBadChecksum:
      return "wrong checksum";
    case GroupMessageError::kBadHopLimit:
      return "TTL or Hop Limit is not 1";
    case GroupMessageError::kBadDestination:
      return "wrong destination address";
    case GroupMessageError::kNoRouterAlert:
      return "no Router Alert";
    case GroupMessageError::kBadSource:
      return "source address is not link-local";
  }
  return "unknown";
}

std::vector<std::byte> write_query(const IpAddress& source, const GroupQuery& query) {
  const Family family = source.family();
  AMT_ASSERT(query.group.family() == family && query.robustness <= 7);
  const GroupProtocol& protocol = group_protocol(family);
  const std::size_t payload_octets =
      8 + protocol.address_octets * (1 + query.sources.size()) + (family == Family::kIpv4 ? 0 : 4);
  const HeaderFields header = header_for(protocol, source, query.is_general() ? protocol.all_systems : query.group);
  return write_datagram(header, payload_octets, [&](ByteWriter& out) {
    out.u8(protocol.query_type);
    if (family == Family::kIpv4) {
      // In tenths of a second.
      out.u8(encode_code8(count_of<std::chrono::milliseconds>(query.max_response_time) / 100));
      out.u16(0);
    } else {
      out.u8(0);
      out.u16(0);
      out.u16(encode_code16(count_of<std::chrono::milliseconds>(query.max_response_time)));
      out.u16(0);
    }
    out.bytes(query.group.bytes());
    out.u8(static_cast<std::uint8_t>((query.suppress_router_processing ? 0x08 : 0) | query.robustness));
    out.u8(encode_code8(count_of<std::chrono::seconds>(query.query_interval)));
    out.u16(static_cast<std::uint16_t>(query.sources.size()));
    for (const IpAddress& address : query.sources) out.bytes(address.bytes());
  });
}

std::vector<std::byte> write_report(const IpAddress& source, std::span<const GroupRecord> records) {
  const GroupProtocol& protocol = group_protocol(source.family());
  std::size_t payload_octets = kReportFixedOctets;
  for (const GroupRecord& record : records) {
    AMT_ASSERT(record.group.family() == source.family());
    payload_octets += record_octets(record);
  }
  const HeaderFields header = header_for(protocol, source, protocol.report_destination);
  return write_datagram(header, payload_octets, [&](ByteWriter& out) {
    out.u8(protocol.report_type);
    out.zeros(5);
    out.u16(static_cast<std::uint16_t>(records.size()));
    for (const GroupRecord& record : records) {
      out.u8(static_cast<std::uint8_t>(record.type));
      out.u8(0);
      out.u16(static_cast<std::uint16_t>(record.sources.size()));
      out.bytes(record.group.bytes());
      for (const IpAddress& address : record.sources) out.bytes(address.bytes());
    }
  });
}

std::vector<std::byte> write_older_report(const IpAddress& source, const OlderReport& report) {
  const GroupProtocol& protocol = group_protocol(source.family());
  HeaderFields header = header_for(protocol, source, report.group);
  if (source.family() == Family::kIpv6) return write_older(header, protocol.older_report_type, report.group);
  // RFC 1112 App. I knows no Router Alert.
  header.router_alert = report.version > 1;
  return write_older(header, report.version > 1 ? protocol.older_report_type : kIgmpReportV1, report.group);
}

std::vector<std::byte> write_older_leave(const IpAddress& source, const OlderLeave& leave) {
  const GroupProtocol& protocol = group_protocol(source.family());
  return write_older(header_for(protocol, source, protocol.all_routers), protocol.leave_type, leave.group);
}

std::size_t record_octets(const GroupRecord& record) {
  return kRecordFixedOctets + group_protocol(record.group.family()).address_octets * (1 + record.sources.size());
}

std::size_t report_overhead_octets(Family family) {
  HeaderFields header;
  header.source = IpAddress::unspecified(family);
  header.destination = group_protocol(family).report_destination;
  header.router_alert = true;
  return header_octets(header) + kReportFixedOctets;
}

}  // namespace amt
