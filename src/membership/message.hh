#pragma once
/// IGMPv1/v2/v3 and MLDv1/v2 messages as one family-neutral vocabulary (RFC 1112, 2236, 3376 §4; RFC 2710 §3, 3810 §5).
/// A record of either protocol is a `GroupRecord`; the family is the group's.

#include <cstdint>
#include <span>
#include <string_view>
#include <variant>
#include <vector>

#include "amt/result.hh"
#include "amt/time.hh"
#include "ip/datagram.hh"
#include "membership/source_filter.hh"

namespace amt {

/// Numbered as on the wire (RFC 3376 §4.2.12).
enum class RecordType : std::uint8_t {
  kModeIsInclude = 1,
  kModeIsExclude = 2,
  kChangeToInclude = 3,
  kChangeToExclude = 4,
  kAllowNewSources = 5,
  kBlockOldSources = 6,
};
[[nodiscard]] std::string_view to_string(RecordType type);

struct GroupRecord {
  RecordType type = RecordType::kModeIsInclude;
  IpAddress group;
  SourceList sources;

  friend bool operator==(const GroupRecord&, const GroupRecord&) = default;
};

/// Membership Query / Multicast Listener Query. General: `group` unspecified, no sources.
struct GroupQuery {
  /// 1 to 3 for IGMP, 1 or 2 for MLD.
  std::uint8_t version = 3;
  IpAddress group;
  SourceList sources;
  /// Decoded Max Resp Code / Maximum Response Code.
  Duration max_response_time{};
  bool suppress_router_processing = false;
  /// As on the wire, 0 to 7; 0 means "above 7 or unset": use the default, 2.
  std::uint8_t robustness = 0;
  /// Decoded QQIC; zero when the version has none.
  Duration query_interval{};

  [[nodiscard]] bool is_general() const { return group.is_unspecified(); }
};

/// IGMPv3 / MLDv2 report. Records of unknown type are left out (I-l).
struct GroupReport {
  std::vector<GroupRecord> records;
};

/// IGMPv1/v2 or MLDv1 report.
struct OlderReport {
  /// 1 or 2 for IGMP, 1 for MLD.
  std::uint8_t version = 2;
  IpAddress group;
};

/// IGMPv2 leave or MLDv1 done.
struct OlderLeave {
  IpAddress group;
};

using GroupMessage = std::variant<GroupQuery, GroupReport, OlderReport, OlderLeave>;

enum class GroupMessageError : std::uint8_t {
  kNotMembership,   ///< another protocol, or an unknown IGMP / ICMPv6 type (I-m)
  kFragment,        ///< X-4.3-b
  kTruncated,       ///< records or sources run past the end (I-n)
  kBadChecksum,     ///< R-5.3.3.4-d
  kBadHopLimit,     ///< TTL / Hop Limit is not 1
  kBadDestination,  ///< not the destination that the protocol demands
  kNoRouterAlert,   ///< only when demanded
  kBadSource,       ///< only when demanded: MLD off tunnels (I-k)
};
[[nodiscard]] std::string_view to_string(GroupMessageError error);

/// Demands on the IP header besides checksum, length and TTL / Hop Limit 1, which are always checked. Destinations are
/// always checked, too; IGMPv1 queries and reports have rules of their own.
struct HeaderRules {
  /// Demand Router Alert where the protocol's version has it (not IGMPv1).
  bool router_alert = false;
  /// Demand a link-local source for MLD (`::` allowed in reports, RFC 3590); lifted inside AMT (R-5.3.1-d, R-5.2.1-g).
  bool link_local_source = false;
  /// IGMP reports and leaves count without Router Alert, too. RFC 9776 §9.2: to demand it "breaks backwards
  /// compatibility with implementations of IGMPv1 or earlier versions of IGMPv2". MLD has no such hosts: RFC 9777 §7.4.
  bool igmp_reports_without_router_alert = false;
  /// Addresses of the receiving interface, unicast and multicast. RFC 9776 §4.2.15, RFC 9777 §5.2.15: "MUST accept and
  /// process any version 1 or version 2 Report whose IP Destination Address field contains any of" them.
  std::span<const IpAddress> own_addresses = {};
};

/// Parses the message that `datagram` carries. Allocation is bounded by the datagram's length (I-n).
/// Source addresses of records that are not of the group's family cannot occur; surplus octets and auxiliary data are
/// skipped (I-j).
[[nodiscard]] Result<GroupMessage, GroupMessageError> parse_group_message(const DatagramView& datagram,
                                                                          const HeaderRules& rules);

/// A whole IP datagram with a Query: IGMPv3 (44 octets less sources: 36) or MLDv2 (76), Router Alert, right destination
/// and checksum. The family is that of `source`; a general query has the unspecified group of that family.
[[nodiscard]] std::vector<std::byte> write_query(const IpAddress& source, const GroupQuery& query);

/// A whole IP datagram with an IGMPv3 / MLDv2 report of `records`, all of `source`'s family.
[[nodiscard]] std::vector<std::byte> write_report(const IpAddress& source, std::span<const GroupRecord> records);

/// The same with an IGMPv1, IGMPv2 or MLDv1 report, to the group itself, and an IGMPv2 leave or MLDv1 done.
[[nodiscard]] std::vector<std::byte> write_older_report(const IpAddress& source, const OlderReport& report);
[[nodiscard]] std::vector<std::byte> write_older_leave(const IpAddress& source, const OlderLeave& leave);

/// Octets that one record takes in a report, and that a report takes around its records (IP header included).
[[nodiscard]] std::size_t record_octets(const GroupRecord& record);
[[nodiscard]] std::size_t report_overhead_octets(Family family);

/// Codes in floating form (RFC 3376 §4.1.1, RFC 3810 §5.1.3). Encoding rounds down to a value that the code has.
[[nodiscard]] std::uint32_t decode_code8(std::uint8_t code);
[[nodiscard]] std::uint8_t encode_code8(std::uint32_t value);
[[nodiscard]] std::uint32_t decode_code16(std::uint16_t code);
[[nodiscard]] std::uint16_t encode_code16(std::uint32_t value);

}  // namespace amt
