#include "observe/ipfix_message.hh"

#include <gtest/gtest.h>

#include "base/byte_reader.hh"

namespace amt {
namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

IpAddress ip(const char* text) { return *IpAddress::parse(text); }

const WallTime kNoon = WallTime(seconds(1'772'366'400));

FlowRecord record(const char* gateway, const char* source, const char* group) {
  FlowRecord out;
  out.gateway = {ip(gateway), 40000};
  out.channel = {source == nullptr ? std::nullopt : std::optional(ip(source)), ip(group)};
  out.start = kNoon - seconds(10);
  out.end = kNoon - milliseconds(1);
  out.packets = 3;
  out.octets = 4000;
  out.reason = FlowEnd::kEnded;
  return out;
}

std::string hex_of(std::span<const std::byte> octets) {
  std::string out;
  for (const std::byte octet : octets) {
    out += "0123456789abcdef"[std::to_integer<unsigned>(octet) >> 4];
    out += "0123456789abcdef"[std::to_integer<unsigned>(octet) & 15];
  }
  return out;
}

// RFC 7011 §3: header, Template Set, Data Set.
TEST(IpfixWriter, SendsItsTemplatesBeforeTheFirstRecord) {
  IpfixWriter writer(7);
  const auto messages = writer.write(kNoon, std::vector{record("192.0.2.7", "198.51.100.1", "232.1.1.1")});
  ASSERT_EQ(messages.size(), 1U);
  const std::span<const std::byte> message = messages[0];
  EXPECT_EQ(hex_of(message.subspan(0, 16)),
            "000a"
            "00f8"
            "69a42a40"
            "00000000"
            "00000007");
  EXPECT_EQ(message.size(), 0xf8U);
  // Template 256: IPv4 channel, IPv4 gateway.
  EXPECT_EQ(hex_of(message.subspan(16, 8)),
            "0002"
            "00b4"
            "0100"
            "000a");
  EXPECT_EQ(hex_of(message.subspan(24, 40)),
            "00080004"
            "000c0004"
            "000f0004"
            "000b0002"
            "00040001"
            "00880001"
            "00980008"
            "00990008"
            "00020008"
            "00010008");
  EXPECT_EQ(hex_of(message.subspan(16 + 180, 4)),
            "0100"
            "0034");
  EXPECT_EQ(hex_of(message.subspan(200, 16)),
            "c6336401"
            "e8010101"
            "c0000207"
            "9c40"
            "11"
            "03");
  EXPECT_EQ(hex_of(message.subspan(232, 16)),
            "0000000000000003"
            "0000000000000fa0");
}

TEST(IpfixWriter, CountsRecordsAndRepeatsTemplates) {
  IpfixWriter writer(1);
  const std::vector records{record("192.0.2.7", nullptr, "239.1.1.1"), record("192.0.2.8", nullptr, "239.1.1.1")};
  const std::size_t with_templates = writer.write(kNoon, records)[0].size();
  const auto second = writer.write(kNoon + seconds(1), records);
  EXPECT_EQ(second[0].size() + 180, with_templates);
  EXPECT_EQ(ByteReader(std::span(second[0]).subspan(8, 4)).u32(), 2U);
  EXPECT_EQ(writer.write(kNoon + minutes(6), records)[0].size(), with_templates);
  EXPECT_TRUE(writer.write(kNoon + minutes(7), {}).empty());
}

TEST(IpfixWriter, PacksManyRecordsOfAllFamiliesIntoMessagesThatFit) {
  IpfixWriter writer(1);
  std::vector<FlowRecord> records;
  for (int i = 0; i < 100; ++i) {
    const char* const gateway = i % 3 == 0 ? "2001:db8::7" : "192.0.2.7";
    records.push_back(i % 2 == 0 ? record(gateway, "198.51.100.1", "232.1.1.1")
                                 : record(gateway, "2001:db8:1::1", "ff3e::8000:1"));
  }
  std::size_t data_octets = 0;
  for (const auto& message : writer.write(kNoon, records)) {
    EXPECT_LE(message.size(), IpfixWriter::kMessageOctetsMax);
    EXPECT_EQ(ByteReader(std::span(message).subspan(2, 2)).u16(), message.size());
    for (std::size_t at = 16; at < message.size();) {
      const std::uint16_t number = u16_at(message, at);
      const std::uint16_t octets = u16_at(message, at + 2);
      ASSERT_GE(octets, 4);
      if (number >= 256) data_octets += octets - 4U;
      at += octets;
    }
  }
  std::size_t expected = 0;
  for (const FlowRecord& one : records) {
    expected += 36 + 2 * one.channel.group.bytes().size() + one.gateway.address.bytes().size();
  }
  EXPECT_EQ(data_octets, expected);
}

}  // namespace
}  // namespace amt
