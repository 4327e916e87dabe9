/// IGMPv1 (RFC 1112), IGMPv2 (RFC 2236) and IGMPv3 (RFC 3376 §4).
#include "ip/checksum.hh"
#include "membership/message_codec.hh"

namespace amt {
namespace {

constexpr std::uint8_t kQuery = 0x11;
constexpr std::uint8_t kReportV2 = 0x16;
constexpr std::uint8_t kLeaveV2 = 0x17;
constexpr std::uint8_t kReportV3 = 0x22;

/// Versions 1 and 2, and the head of a version 3 Query:
///
///      0                   1                   2                   3
///      0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1
///     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
///     |      Type     | Max Resp Code |            Checksum           |
///     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
///     |                         Group Address                         |
///     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
///     | Resv  |S| QRV |     QQIC      |     Number of Sources (N)     |
///     +-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+-+
MessageResult read_query(Bytes payload) {
  ByteReader in(payload);
  in.skip(1);
  const std::uint8_t code = in.u8();
  in.skip(2);
  GroupQuery query;
  query.group = IpAddress::from_v4(in.array<4>());
  // RFC 3376 §7.1: the length gives the version; a message that matches no version "MUST be silently ignored".
  constexpr auto kTenth = std::chrono::milliseconds(100);
  if (payload.size() == 8 && code == 0) {
    query.version = 1;
    // RFC 1112 App. I: the group address field is zeroed and ignored; RFC 3376 §7.2.1: Max Resp Time is 10 s.
    query.group = IpAddress::unspecified(Family::kIpv4);
    query.max_response_time = std::chrono::seconds(10);
    return GroupMessage(query);
  }
  if (payload.size() == 8) {
    query.version = 2;
    query.max_response_time = code * kTenth;
    return GroupMessage(query);
  }
  if (payload.size() < 12) return Refused(GroupMessageError::kTruncated);
  query.version = 3;
  query.max_response_time = decode_code8(code) * kTenth;
  return read_query_tail(in, std::move(query));
}

}  // namespace

MessageResult read_igmp(const DatagramView& datagram) {
  const Bytes payload = datagram.payload;
  const auto type = std::to_integer<std::uint8_t>(payload[0]);
  if (type != kQuery && type != kIgmpReportV1 && type != kReportV2 && type != kLeaveV2 && type != kReportV3) {
    return Refused(GroupMessageError::kNotMembership);
  }
  // RFC 3376 §4.1.10: additional octets are included "in the computation to verify the received IGMP Checksum".
  if (internet_checksum(payload) != 0) return Refused(GroupMessageError::kBadChecksum);
  if (type == kQuery) return read_query(payload);
  if (type == kReportV3) return read_records(ByteReader(payload.subspan(6)), Family::kIpv4);
  const IpAddress group = IpAddress::from_bytes(payload.subspan(4, 4));
  if (type == kLeaveV2) return GroupMessage(OlderLeave{group});
  return GroupMessage(OlderReport{static_cast<std::uint8_t>(type == kIgmpReportV1 ? 1 : 2), group});
}

}  // namespace amt
