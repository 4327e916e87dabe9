#pragma once
/// Shared by the IGMP and the MLD codec. Only for this room.

#include "base/byte_reader.hh"
#include "membership/message.hh"

namespace amt {

using MessageResult = Result<GroupMessage, GroupMessageError>;
using Refused = Unexpected<GroupMessageError>;

/// One of the two protocols: its numbers and addresses.
struct GroupProtocol {
  std::uint8_t ip_protocol;
  /// TOS / Traffic Class. RFC 3376 §4: "IP Precedence of Internetwork Control (e.g., Type of Service 0xc0)"; MLD names
  /// none.
  std::uint8_t traffic_class;
  std::size_t address_octets;
  std::uint8_t query_type;
  std::uint8_t report_type;
  /// IGMPv2's or MLDv1's, for writing.
  std::uint8_t older_report_type;
  std::uint8_t leave_type;
  IpAddress all_systems;
  IpAddress all_routers;
  /// Of IGMPv3 and MLDv2 reports.
  IpAddress report_destination;
};
[[nodiscard]] const GroupProtocol& group_protocol(Family family);
inline constexpr std::uint8_t kIgmpReportV1 = 0x12;

/// The message of a datagram whose payload has at least 8 octets; checks its checksum, but no IP header field.
[[nodiscard]] MessageResult read_igmp(const DatagramView& datagram);
[[nodiscard]] MessageResult read_mld(const DatagramView& datagram);

/// From Resv(4) S(1) QRV(3) on, which IGMPv3 and MLDv2 Queries have alike: QQIC, Number of Sources, sources.
[[nodiscard]] MessageResult read_query_tail(ByteReader in, GroupQuery query);
/// From "Number of Group Records" on, which IGMPv3 and MLDv2 reports have alike but for the size of an address.
[[nodiscard]] MessageResult read_records(ByteReader in, Family family);

}  // namespace amt
