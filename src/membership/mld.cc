/// MLDv1 (RFC 2710 §3) and MLDv2 (RFC 3810 §5).
#include "ip/checksum.hh"
#include "membership/message_codec.hh"

namespace amt {
namespace {

constexpr std::uint8_t kQuery = 130;
constexpr std::uint8_t kReportV1 = 131;
constexpr std::uint8_t kDoneV1 = 132;
constexpr std::uint8_t kReportV2 = 143;

constexpr std::size_t kV1Octets = 24;
constexpr std::size_t kV2QueryOctetsMin = 28;

/// Version 1, and the head of a version 2 Query:
///
///      0                   1                   2                   3
///      0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
///     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
///     |  Type = 130   |      Code     |           Checksum            |
///     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
///     |    Maximum Response Code      |           Reserved            |
///     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
///     |                  Multicast Address, 16 octets                 |
///     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
///     | Resv  |S| QRV |     QQIC      |     Number of Sources (N)     |
///     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
MessageResult read_query(Bytes payload, const IpAddress& group) {
  ByteReader in(payload);
  in.skip(4);
  const std::uint16_t code = in.u16();
  in.skip(2 + 16);
  GroupQuery query;
  query.group = group;
  // RFC 3810 §8.1: the length gives the version; a message that matches no version "MUST be silently ignored".
  if (payload.size() == kV1Octets) {
    query.version = 1;
    query.max_response_time = std::chrono::milliseconds(code);
    return GroupMessage(query);
  }
  if (payload.size() < kV2QueryOctetsMin) return Refused(GroupMessageError::kTruncated);
  query.version = 2;
  query.max_response_time = std::chrono::milliseconds(decode_code16(code));
  return read_query_tail(in, std::move(query));
}

}  // namespace

MessageResult read_mld(const DatagramView& datagram) {
  const Bytes payload = datagram.payload;
  const auto type = std::to_integer<std::uint8_t>(payload[0]);
  if (type != kQuery && type != kReportV1 && type != kDoneV1 && type != kReportV2) {
    return Refused(GroupMessageError::kNotMembership);
  }
  InternetChecksum sum;
  sum.add_pseudo_header(datagram.source, datagram.destination, kProtocolIcmpv6,
                        static_cast<std::uint32_t>(payload.size()));
  sum.add(payload);
  if (sum.value() != 0) return Refused(GroupMessageError::kBadChecksum);
  if (type == kReportV2) return read_records(ByteReader(payload.subspan(6)), Family::kIpv6);
  if (payload.size() < kV1Octets) return Refused(GroupMessageError::kTruncated);
  const IpAddress group = IpAddress::from_bytes(payload.subspan(8, 16));
  // A mapped IPv4 address is no IPv6 group; taken as one it would slip into the other protocol's state.
  if (group.is_v4()) return Refused(GroupMessageError::kNotMembership);
  if (type == kQuery) return read_query(payload, group);
  if (type == kDoneV1) return GroupMessage(OlderLeave{group});
  return GroupMessage(OlderReport{1, group});
}

}  // namespace amt
