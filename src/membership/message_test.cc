#include "membership/message.hh"

#include <gtest/gtest.h>

#include <array>
#include <string_view>

#include "ip/checksum.hh"

namespace amt {
namespace {

using Octets = std::vector<std::byte>;

IpAddress a(const char* text) { return *IpAddress::parse(text); }

Octets from_hex(std::string_view hex) {
  Octets out;
  int high = -1;
  for (const char c : hex) {
    if (c == ' ') continue;
    const int digit = c <= '9' ? c - '0' : c - 'a' + 10;
    if (high < 0) {
      high = digit;
    } else {
      out.push_back(static_cast<std::byte>(high << 4 | digit));
      high = -1;
    }
  }
  return out;
}

Result<GroupMessage, GroupMessageError> parse(const Octets& octets, const HeaderRules& rules = {}) {
  const auto datagram = DatagramView::parse(octets);
  EXPECT_TRUE(datagram.has_value());
  return parse_group_message(*datagram, rules);
}

template <typename T>
T parse_as(const Octets& octets, const HeaderRules& rules = {}) {
  const auto message = parse(octets, rules);
  EXPECT_TRUE(message.has_value()) << (message ? "" : to_string(message.error()));
  const T* const found = message ? std::get_if<T>(&*message) : nullptr;
  EXPECT_NE(found, nullptr);
  return found != nullptr ? *found : T{};
}

GroupMessageError error_of(const Octets& octets, const HeaderRules& rules = {}) {
  const auto message = parse(octets, rules);
  EXPECT_FALSE(message.has_value());
  return message ? GroupMessageError{0xff} : message.error();
}

// Vectors computed by hand.
const Octets kIgmpGeneralQuery = from_hex(
    "46c00024 00000000 01024413 00000000 e0000001 94040000 1101ec81"
    "00000000 027d0000");
const Octets kIgmpReport = from_hex(
    "46c0002c 00000000 010243f6 00000000 e0000016 94040000 2200c4b8"
    "00000001 05000001 e8010203 c633640c");
const Octets kMldGeneralQuery = from_hex(
    "60000000 00240001 fe800000 00000000 00000000 00000001 ff020000 00000000 00000000 00000001"
    "3a000502 00000100 82007da5 00010000 00000000 00000000 00000000 00000000 027d0000");
const Octets kMldReport = from_hex(
    "60000000 00340001 fe800000 00000000 00000000 00000002 ff020000 00000000 00000000 00000016"
    "3a000502 00000100 8f00c0eb 00000001 05000001 ff3e0000 00000000 00000000 8000000d 20010db8"
    "00000000 00000000 0000000a");

/// An IP datagram around `message`, whose checksum (at octet 2, given as zero) is filled in.
Octets wrap(std::string_view message_hex, const char* destination, std::uint8_t hop_limit = 1, bool router_alert = true,
            const char* source = nullptr) {
  Octets message = from_hex(message_hex);
  HeaderFields header;
  header.destination = a(destination);
  const bool v4 = header.destination.is_v4();
  header.source = source != nullptr ? a(source) : a(v4 ? "192.0.2.9" : "fe80::9");
  header.protocol = v4 ? kProtocolIgmp : kProtocolIcmpv6;
  header.hop_limit = hop_limit;
  header.router_alert = router_alert;
  InternetChecksum sum;
  if (!v4) {
    sum.add_pseudo_header(header.source, header.destination, header.protocol,
                          static_cast<std::uint32_t>(message.size()));
  }
  sum.add(message);
  ByteWriter(MutableBytes(message).subspan(2)).u16(sum.value());
  Octets out(header_octets(header) + message.size());
  ByteWriter writer(out);
  write_header(writer, header, message.size());
  writer.bytes(message);
  return out;
}

GroupQuery general_query(Family family) {
  GroupQuery query;
  query.version = family == Family::kIpv4 ? 3 : 2;
  query.group = IpAddress::unspecified(family);
  query.max_response_time = std::chrono::milliseconds(family == Family::kIpv4 ? 100 : 1);
  query.robustness = 2;
  query.query_interval = std::chrono::seconds(125);
  return query;
}

// ---- Vectors, both directions (section 2, R-5.2.1-b,c)

TEST(GroupMessage, WritesTheGeneralQueriesOfTheChecklist) {
  EXPECT_EQ(write_query(a("0.0.0.0"), general_query(Family::kIpv4)), kIgmpGeneralQuery);
  EXPECT_EQ(write_query(a("fe80::1"), general_query(Family::kIpv6)), kMldGeneralQuery);
  EXPECT_EQ(kIgmpGeneralQuery.size(), 36U);
  EXPECT_EQ(kMldGeneralQuery.size(), 76U);
}

TEST(GroupMessage, ReadsTheGeneralQueriesOfTheChecklist) {
  for (const Octets& octets : {kIgmpGeneralQuery, kMldGeneralQuery}) {
    const bool v4 = octets.size() == 36;
    const auto query = parse_as<GroupQuery>(octets, {.router_alert = true, .link_local_source = true});
    EXPECT_EQ(query.version, v4 ? 3 : 2);
    EXPECT_TRUE(query.is_general());
    EXPECT_EQ(query.group.is_v4(), v4);
    EXPECT_EQ(query.max_response_time, std::chrono::milliseconds(v4 ? 100 : 1));
    EXPECT_EQ(query.robustness, 2);
    EXPECT_EQ(query.query_interval, std::chrono::seconds(125));
    EXPECT_FALSE(query.suppress_router_processing);
    EXPECT_TRUE(query.sources.empty());
  }
}

TEST(GroupMessage, WritesAndReadsTheReportsOfTheChecklist) {
  const GroupRecord v4{RecordType::kAllowNewSources, a("232.1.2.3"), {a("198.51.100.12")}};
  const GroupRecord v6{RecordType::kAllowNewSources, a("ff3e::8000:d"), {a("2001:db8::a")}};
  EXPECT_EQ(write_report(a("0.0.0.0"), std::span(&v4, 1)), kIgmpReport);
  EXPECT_EQ(write_report(a("fe80::2"), std::span(&v6, 1)), kMldReport);
  EXPECT_EQ(parse_as<GroupReport>(kIgmpReport, {true, true}).records, std::vector{v4});
  EXPECT_EQ(parse_as<GroupReport>(kMldReport, {true, true}).records, std::vector{v6});
}

TEST(GroupMessage, SizesAreThoseOfTheVectors) {
  EXPECT_EQ(report_overhead_octets(Family::kIpv4) +
                record_octets({RecordType::kAllowNewSources, a("232.1.2.3"), {a("198.51.100.12")}}),
            kIgmpReport.size());
  EXPECT_EQ(report_overhead_octets(Family::kIpv6) +
                record_octets({RecordType::kAllowNewSources, a("ff3e::8000:d"), {a("2001:db8::a")}}),
            kMldReport.size());
}

TEST(GroupMessage, SpecificQueryGoesToTheGroupWithItsSources) {
  GroupQuery query = general_query(Family::kIpv4);
  query.group = a("239.1.1.1");
  query.sources = {a("192.0.2.1"), a("192.0.2.2")};
  query.suppress_router_processing = true;
  query.robustness = 7;
  const Octets octets = write_query(a("192.0.2.9"), query);
  const auto datagram = DatagramView::parse(octets);
  ASSERT_TRUE(datagram);
  EXPECT_EQ(datagram->destination, a("239.1.1.1"));
  EXPECT_EQ(datagram->traffic_class, 0xc0);
  // Type 0x11, code 1, checksum, group, S and QRV 7, QQIC 125, two sources.
  const Octets expected = from_hex("1101 0000 ef010101 0f7d0002 c0000201 c0000202");
  for (std::size_t i = 0; i < expected.size(); ++i) {
    if (i == 2 || i == 3) continue;
    EXPECT_EQ(datagram->payload[i], expected[i]) << i;
  }
  const auto read = parse_as<GroupQuery>(octets);
  EXPECT_EQ(read.sources, query.sources);
  EXPECT_TRUE(read.suppress_router_processing);
  EXPECT_EQ(read.robustness, 7);
}

// ---- Versions

TEST(GroupMessage, LengthTellsTheVersionOfAQuery) {  // RFC 3376 §7.1, RFC 3810 §8.1
  const auto v1 = parse_as<GroupQuery>(wrap("1100 0000 00000000", "224.0.0.1"));
  EXPECT_EQ(v1.version, 1);
  EXPECT_EQ(v1.max_response_time, std::chrono::seconds(10));
  const auto v2 = parse_as<GroupQuery>(wrap("1164 0000 00000000", "224.0.0.1"));
  EXPECT_EQ(v2.version, 2);
  EXPECT_EQ(v2.max_response_time, std::chrono::seconds(10));
  // IGMPv2 knows no floating code: 255 is 25.5 s.
  EXPECT_EQ(parse_as<GroupQuery>(wrap("11ff 0000 00000000", "224.0.0.1")).max_response_time,
            std::chrono::milliseconds(25'500));
  EXPECT_EQ(parse_as<GroupQuery>(wrap("11ff 0000 00000000 027d0000", "224.0.0.1")).max_response_time,
            std::chrono::milliseconds(3'174'400));
  for (const char* surplus : {"00", "0000", "000000"}) {
    const std::string hex = std::string("1164 0000 00000000") + surplus;
    EXPECT_EQ(error_of(wrap(hex, "224.0.0.1")), GroupMessageError::kTruncated);
  }
  const std::string mld = "8200 0000 2710 0000 00000000 00000000 00000000 00000000";
  EXPECT_EQ(parse_as<GroupQuery>(wrap(mld, "ff02::1")).version, 1);
  EXPECT_EQ(parse_as<GroupQuery>(wrap(mld, "ff02::1")).max_response_time, std::chrono::seconds(10));
  EXPECT_EQ(error_of(wrap(mld + "0000", "ff02::1")), GroupMessageError::kTruncated);
  EXPECT_EQ(parse_as<GroupQuery>(wrap(mld + "027d0000", "ff02::1")).version, 2);
}

TEST(GroupMessage, WritesTheOlderReportsAndLeaves) {
  const std::vector<std::byte> v2 = write_older_report(a("198.18.0.2"), {2, a("239.1.1.1")});
  EXPECT_EQ(Bytes(v2).subspan(24).size(), 8U);
  EXPECT_EQ(v2[24], std::byte{0x16});
  const DatagramView v2_view = *DatagramView::parse(v2);
  EXPECT_EQ(v2_view.destination, a("239.1.1.1"));
  EXPECT_TRUE(v2_view.router_alert);
  EXPECT_EQ(std::get<OlderReport>(*parse_group_message(v2_view, {})).version, 2);
  const std::vector<std::byte> v1 = write_older_report(a("198.18.0.2"), {1, a("239.1.1.1")});
  EXPECT_EQ(std::get<OlderReport>(*parse_group_message(*DatagramView::parse(v1), {})).version, 1);
  EXPECT_FALSE(DatagramView::parse(v1)->router_alert);
  const std::vector<std::byte> leave = write_older_leave(a("198.18.0.2"), {a("239.1.1.1")});
  EXPECT_EQ(DatagramView::parse(leave)->destination, a("224.0.0.2"));
  EXPECT_EQ(std::get<OlderLeave>(*parse_group_message(*DatagramView::parse(leave), {})).group, a("239.1.1.1"));

  const HeaderRules strict{.router_alert = true, .link_local_source = true};
  const std::vector<std::byte> mld = write_older_report(a("fe80::2"), {1, a("ff1e::7")});
  EXPECT_EQ(DatagramView::parse(mld)->payload.size(), 24U);
  EXPECT_EQ(DatagramView::parse(mld)->destination, a("ff1e::7"));
  EXPECT_EQ(std::get<OlderReport>(*parse_group_message(*DatagramView::parse(mld), strict)).group, a("ff1e::7"));
  const std::vector<std::byte> done = write_older_leave(a("fe80::2"), {a("ff1e::7")});
  EXPECT_EQ(DatagramView::parse(done)->destination, a("ff02::2"));
  EXPECT_EQ(std::get<OlderLeave>(*parse_group_message(*DatagramView::parse(done), strict)).group, a("ff1e::7"));
}

TEST(GroupMessage, ReadsTheOlderReportsAndLeaves) {  // R-5.1.5-a
  const auto v2 = parse_as<OlderReport>(wrap("1600 0000 ef010101", "239.1.1.1"));
  EXPECT_EQ(v2.version, 2);
  EXPECT_EQ(v2.group, a("239.1.1.1"));
  EXPECT_EQ(parse_as<OlderReport>(wrap("1200 0000 ef010101", "239.1.1.1")).version, 1);
  EXPECT_EQ(parse_as<OlderLeave>(wrap("1700 0000 ef010101", "224.0.0.2")).group, a("239.1.1.1"));
  const std::string mld = "00 0000 0000 0000 ff1e0000 00000000 00000000 00000007";
  const auto mld_report = parse_as<OlderReport>(wrap("83" + mld, "ff1e::7"));
  EXPECT_EQ(mld_report.version, 1);
  EXPECT_EQ(mld_report.group, a("ff1e::7"));
  EXPECT_EQ(parse_as<OlderLeave>(wrap("84" + mld, "ff02::2")).group, a("ff1e::7"));
}

// ---- Header rules (R-5.3.3.4-b,d, X-4.3-a,b)

TEST(GroupMessage, HopLimitIsOneAlways) {  // R-5.3.3.4-b
  const std::string_view report = "1600 0000 ef010101";
  EXPECT_EQ(error_of(wrap(report, "239.1.1.1", 2)), GroupMessageError::kBadHopLimit);
  EXPECT_EQ(error_of(wrap(report, "239.1.1.1", 0)), GroupMessageError::kBadHopLimit);
  EXPECT_EQ(error_of(wrap("8f00 0000 0000 0000", "ff02::16", 255)), GroupMessageError::kBadHopLimit);
}

TEST(GroupMessage, DestinationIsThatOfTheMessage) {  // section 8
  const auto bad = GroupMessageError::kBadDestination;
  EXPECT_EQ(error_of(wrap("1101 0000 00000000 027d0000", "224.0.0.2")), bad);
  EXPECT_EQ(error_of(wrap("1101 0000 ef010101 027d0000", "239.1.1.2")), bad);
  EXPECT_EQ(error_of(wrap("2200 0000 0000 0000", "224.0.0.1")), bad);
  EXPECT_EQ(error_of(wrap("2200 0000 0000 0000", "192.0.2.1")), bad);
  EXPECT_EQ(error_of(wrap("1600 0000 ef010101", "224.0.0.22")), bad);
  EXPECT_EQ(error_of(wrap("1200 0000 ef010101", "239.1.1.2")), bad);
  EXPECT_EQ(error_of(wrap("1700 0000 ef010101", "224.0.0.1")), bad);
  EXPECT_EQ(error_of(wrap("8f00 0000 0000 0000", "ff02::1")), bad);
  EXPECT_EQ(error_of(wrap("8400 0000 0000 0000 ff1e0000 00000000 00000000 00000007", "ff02::16")), bad);
  // RFC 3376 §4.1.12: every interface has the address of all systems. RFC 2236 §3: a leave may go to the group.
  EXPECT_TRUE(parse(wrap("1101 0000 ef010101 027d0000", "224.0.0.1")));
  EXPECT_TRUE(parse(wrap("1101 0000 ef010101 027d0000", "239.1.1.1")));
  EXPECT_TRUE(parse(wrap("1700 0000 ef010101", "239.1.1.1")));
}

TEST(GroupMessage, RouterAlertIsDemandedOnlyByRule) {  // X-4.3-a
  const Octets without = wrap("2200 0000 0000 0000", "224.0.0.22", 1, false);
  EXPECT_TRUE(parse(without));
  EXPECT_EQ(error_of(without, {.router_alert = true}), GroupMessageError::kNoRouterAlert);
  const Octets v6_without = wrap("8f00 0000 0000 0000", "ff02::16", 1, false);
  EXPECT_TRUE(parse(v6_without));
  EXPECT_EQ(error_of(v6_without, {.router_alert = true}), GroupMessageError::kNoRouterAlert);
  // IGMPv1 has none.
  EXPECT_TRUE(parse(wrap("1200 0000 ef010101", "239.1.1.1", 1, false), {.router_alert = true}));
  EXPECT_TRUE(parse(wrap("1100 0000 00000000", "224.0.0.1", 1, false), {.router_alert = true}));
  EXPECT_EQ(error_of(wrap("1600 0000 ef010101", "239.1.1.1", 1, false), {.router_alert = true}),
            GroupMessageError::kNoRouterAlert);
}

TEST(GroupMessage, IgmpReportsOfOldHostsMayLackRouterAlert) {  // RFC 9776 §9.1, §9.2; RFC 9777 §7.4
  const HeaderRules lan{.router_alert = true, .igmp_reports_without_router_alert = true};
  EXPECT_TRUE(parse(wrap("1600 0000 ef010101", "239.1.1.1", 1, false), lan));
  EXPECT_TRUE(parse(wrap("1700 0000 ef010101", "224.0.0.2", 1, false), lan));
  EXPECT_TRUE(parse(wrap("2200 0000 0000 0000", "224.0.0.22", 1, false), lan));
  EXPECT_EQ(error_of(wrap("1101 0000 00000000 027d0000", "224.0.0.1", 1, false), lan),
            GroupMessageError::kNoRouterAlert);
  EXPECT_EQ(error_of(wrap("8f00 0000 0000 0000", "ff02::16", 1, false), lan), GroupMessageError::kNoRouterAlert);
}

TEST(GroupMessage, OlderReportsMayGoToAnAddressOfTheInterface) {  // RFC 9776 §4.2.15, RFC 9777 §5.2.15
  const std::array own = {a("224.0.0.2"), a("192.0.2.1"), a("fe80::1")};
  const HeaderRules lan{.own_addresses = own};
  const std::string mld = "00 0000 0000 0000 ff1e0000 00000000 00000000 00000007";
  for (const char* destination : {"224.0.0.2", "192.0.2.1"}) {
    EXPECT_TRUE(parse(wrap("1200 0000 ef010101", destination), lan)) << destination;
    EXPECT_TRUE(parse(wrap("1600 0000 ef010101", destination), lan)) << destination;
    EXPECT_TRUE(parse(wrap("1700 0000 ef010101", destination), lan)) << destination;
    EXPECT_TRUE(parse(wrap("1101 0000 00000000 027d0000", destination), lan)) << destination;
    EXPECT_EQ(error_of(wrap("2200 0000 0000 0000", destination), lan), GroupMessageError::kBadDestination);
  }
  EXPECT_TRUE(parse(wrap("83" + mld, "fe80::1"), lan));
  EXPECT_EQ(error_of(wrap("1600 0000 ef010101", "192.0.2.2"), lan), GroupMessageError::kBadDestination);
}

TEST(GroupMessage, LinkLocalSourceIsDemandedOnlyByRule) {  // I-k, R-5.2.1-d,g
  const HeaderRules strict{.link_local_source = true};
  const Octets query =
      wrap("8200 0000 0001 0000 00000000 00000000 00000000 00000000 027d0000", "ff02::1", 1, true, "::");
  EXPECT_TRUE(parse(query));
  EXPECT_EQ(error_of(query, strict), GroupMessageError::kBadSource);
  EXPECT_TRUE(parse(wrap("8f00 0000 0000 0000", "ff02::16", 1, true, "::"), strict));
  EXPECT_EQ(error_of(wrap("8f00 0000 0000 0000", "ff02::16", 1, true, "2001:db8::1"), strict),
            GroupMessageError::kBadSource);
  EXPECT_TRUE(parse(wrap("2200 0000 0000 0000", "224.0.0.22", 1, true, "0.0.0.0"), strict));
}

TEST(GroupMessage, ChecksumCoversSurplusOctets) {  // I-j, R-5.3.3.4-d
  EXPECT_TRUE(parse(wrap("1101 0000 00000000 027d0000 deadbeef 01", "224.0.0.1")));
  EXPECT_TRUE(parse(wrap("2200 0000 0000 0000 deadbeef", "224.0.0.22")));
  EXPECT_TRUE(parse(wrap("1600 0000 ef010101 deadbeef", "239.1.1.1")));
  for (const Octets& good : {kIgmpGeneralQuery, kIgmpReport, kMldGeneralQuery, kMldReport}) {
    Octets bad = good;
    bad.back() ^= std::byte{1};
    EXPECT_EQ(error_of(bad), GroupMessageError::kBadChecksum);
  }
  Octets surplus = wrap("1101 0000 00000000 027d0000 deadbeef", "224.0.0.1");
  surplus.back() ^= std::byte{1};
  EXPECT_EQ(error_of(surplus), GroupMessageError::kBadChecksum);
}

TEST(GroupMessage, FragmentsAreRefused) {  // X-4.3-b
  for (const std::uint16_t flags : {std::uint16_t{0x2000}, std::uint16_t{0x0001}}) {
    Octets octets = kIgmpReport;
    ByteWriter(MutableBytes(octets).subspan(6)).u16(flags);
    ByteWriter(MutableBytes(octets).subspan(10)).u16(0);
    const std::uint16_t sum = internet_checksum(Bytes(octets).first(24));
    ByteWriter(MutableBytes(octets).subspan(10)).u16(sum);
    EXPECT_EQ(error_of(octets), GroupMessageError::kFragment);
  }
}

TEST(GroupMessage, OtherProtocolsAndTypesAreNone) {  // I-m
  EXPECT_EQ(error_of(wrap("3100 0000 00000000", "224.0.0.1")), GroupMessageError::kNotMembership);
  EXPECT_EQ(error_of(wrap("8000 0000 00000000", "ff02::1", 64)), GroupMessageError::kNotMembership);
  Octets udp = kIgmpReport;
  udp[9] = std::byte{17};
  ByteWriter(MutableBytes(udp).subspan(10)).u16(0);
  const std::uint16_t sum = internet_checksum(Bytes(udp).first(24));
  ByteWriter(MutableBytes(udp).subspan(10)).u16(sum);
  EXPECT_EQ(error_of(udp), GroupMessageError::kNotMembership);
}

TEST(GroupMessage, SourcesWithoutAGroupAreNoQuery) {  // R-5.2.3.5.4-e
  EXPECT_EQ(error_of(wrap("1101 0000 00000000 027d0001 c0000201", "224.0.0.1")), GroupMessageError::kNotMembership);
  EXPECT_EQ(error_of(wrap("1101 0000 c0000205 027d0000", "192.0.2.5")), GroupMessageError::kNotMembership);
}

// ---- Records

TEST(GroupMessage, SkipsAuxiliaryDataAndUnknownRecords) {  // I-j, I-l
  const auto report =
      parse_as<GroupReport>(wrap("2200 0000 0000 0004"
                                 "01020001 ef010101 c0000201 aaaaaaaa bbbbbbbb"
                                 "07010002 ef010102 c0000201 c0000202 cccccccc"
                                 "00000000 ef010103"
                                 "06000002 ef010104 c0000202 c0000201",
                                 "224.0.0.22"));
  ASSERT_EQ(report.records.size(), 2U);
  EXPECT_EQ(report.records[0], (GroupRecord{RecordType::kModeIsInclude, a("239.1.1.1"), {a("192.0.2.1")}}));
  EXPECT_EQ(report.records[1],
            (GroupRecord{RecordType::kBlockOldSources, a("239.1.1.4"), {a("192.0.2.1"), a("192.0.2.2")}}));
}

TEST(GroupMessage, SourcesOfARecordAreSortedWithoutRepeats) {
  const auto report =
      parse_as<GroupReport>(wrap("2200 0000 0000 0001 03000003 ef010101 c0000203 c0000201 c0000203", "224.0.0.22"));
  ASSERT_EQ(report.records.size(), 1U);
  EXPECT_EQ(report.records[0].sources, (SourceList{a("192.0.2.1"), a("192.0.2.3")}));
}

TEST(GroupMessage, CountsThatRunPastTheEndAreRefused) {  // I-n
  for (const char* hex : {
           "2200 0000 0000 ffff",                             // 65535 records in no octets
           "2200 0000 0000 0002 01000000 ef010101",           // the second is missing
           "2200 0000 0000 0001 0100ffff ef010101 c0000201",  // 65535 sources
           "2200 0000 0000 0001 01ff0000 ef010101",           // auxiliary data
           "2200 0000 0000 0001 01000000 ef0101",
           "2200 0000 0000 0002 01000001 ef010101 c0000201 0100",
       }) {
    EXPECT_EQ(error_of(wrap(hex, "224.0.0.22")), GroupMessageError::kTruncated) << hex;
  }
  EXPECT_EQ(error_of(wrap("1101 0000 ef010101 027d0001", "239.1.1.1")), GroupMessageError::kTruncated);
  EXPECT_EQ(error_of(wrap("1101 0000", "224.0.0.1")), GroupMessageError::kTruncated);
  EXPECT_EQ(error_of(wrap("8f00 0000 0000 0001 01000001 ff1e0000 00000000 00000000 00000007", "ff02::16")),
            GroupMessageError::kTruncated);
  EXPECT_EQ(error_of(wrap("8300 0000 0000 0000 ff1e0000", "ff1e::7")), GroupMessageError::kTruncated);
}

TEST(GroupMessage, MappedAddressesAreNoIpv6GroupsOrSources) {
  const auto report =
      parse_as<GroupReport>(wrap("8f00 0000 0000 0002"
                                 "04000000 00000000 00000000 0000ffff ef010101"
                                 "05000002 ff1e0000 00000000 00000000 00000007"
                                 "00000000 00000000 0000ffff c0000201 20010db8 00000000 00000000 0000000a",
                                 "ff02::16"));
  ASSERT_EQ(report.records.size(), 1U);
  EXPECT_EQ(report.records[0], (GroupRecord{RecordType::kAllowNewSources, a("ff1e::7"), {a("2001:db8::a")}}));
  EXPECT_EQ(error_of(wrap("8300 0000 0000 0000 00000000 00000000 0000ffff ef010101", "ff02::16")),
            GroupMessageError::kNotMembership);
}

TEST(GroupMessage, EveryShorterDatagramIsRefusedWithoutHarm) {
  for (const Octets& whole : {kIgmpReport, kMldReport, kIgmpGeneralQuery, kMldGeneralQuery}) {
    for (std::size_t size = 0; size < whole.size(); ++size) {
      const Octets cut(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
      const auto datagram = DatagramView::parse(cut);
      if (datagram) {
        EXPECT_FALSE(parse_group_message(*datagram, {})) << size;
      }
    }
  }
}

// ---- Codes in floating form

TEST(GroupCodes, AreThoseOfTheChecklist) {  // section 8
  EXPECT_EQ(decode_code8(127), 127U);
  EXPECT_EQ(decode_code8(128), 128U);
  EXPECT_EQ(decode_code8(143), 248U);
  EXPECT_EQ(decode_code8(144), 256U);
  EXPECT_EQ(decode_code8(255), 31744U);
  EXPECT_EQ(decode_code16(32767), 32767U);
  EXPECT_EQ(decode_code16(32768), 32768U);
  EXPECT_EQ(decode_code16(0x8fff), 65528U);
  EXPECT_EQ(decode_code16(0xffff), 8387584U);
}

TEST(GroupCodes, EveryCodeSurvivesARoundTrip) {
  for (std::uint32_t code = 0; code < 256; ++code) {
    EXPECT_EQ(encode_code8(decode_code8(static_cast<std::uint8_t>(code))), code);
  }
  for (std::uint32_t code = 0; code < 65536; ++code) {
    ASSERT_EQ(encode_code16(decode_code16(static_cast<std::uint16_t>(code))), code);
  }
}

TEST(GroupCodes, EncodingRoundsDownAndSaturates) {
  EXPECT_EQ(encode_code8(135), 128);
  EXPECT_EQ(encode_code8(136), 129);
  EXPECT_EQ(encode_code8(255), 143);
  EXPECT_EQ(encode_code8(31743), 254);
  EXPECT_EQ(encode_code8(0xffffffff), 255);
  EXPECT_EQ(encode_code16(65535), 0x8fff);
  EXPECT_EQ(encode_code16(0xffffffff), 0xffff);
}

}  // namespace
}  // namespace amt
