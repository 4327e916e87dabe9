#include "cli/receive_report.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <vector>

#include "ip/address.hh"

namespace amt {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using ::testing::HasSubstr;
using ::testing::Not;

using Octets = std::vector<std::byte>;

Octets numbered(std::uint32_t sequence) {
  Octets out(200);
  write_test_packet({.stream = 7, .sequence = sequence, .sent = Instant{}}, out);
  return out;
}
/// One packet of a transport stream, of PID 256.
Octets ts_packet(unsigned continuity) {
  Octets out(188, std::byte{0xff});
  out[0] = std::byte{0x47};
  out[1] = std::byte{0x01};
  out[2] = std::byte{0x00};
  out[3] = static_cast<std::byte>(0x10U | continuity);
  return out;
}
/// RTP of payload type 96 (RFC 3550 §5.1).
Octets rtp(int sequence) {
  Octets out(100, std::byte{1});
  out[0] = std::byte{0x80};
  out[1] = std::byte{96};
  out[2] = std::byte{0};
  out[3] = static_cast<std::byte>(sequence);
  return out;
}

class ReceiveReportTest : public ::testing::Test {
 protected:
  /// 1 Mbit/s: 125 octets a millisecond.
  void add_steadily(ReceiveReport& report, int packets) {
    for (int i = 0; i < packets; ++i) {
      now_ += milliseconds(10);
      report.add(now_, Octets(1250, std::byte{1}));
    }
  }
  ReceiveReport::Surroundings surroundings() const {
    ReceiveReport::Surroundings all;
    all.started = start_;
    all.ended = now_;
    return all;
  }

  Instant start_{seconds(100)};
  Instant now_ = start_;
};

TEST_F(ReceiveReportTest, WithoutAPacketThereIsNoRateAndNoFault) {
  ReceiveReport report(false);
  now_ += seconds(5);
  EXPECT_EQ(report.live_line(now_), "waiting for the first packet");
  EXPECT_EQ(report.text(surroundings()), "received 0 packets, 0 bytes in 0.0 s (0.00 Mbit/s)");
  EXPECT_TRUE(report.is_faultless({}));
}

TEST_F(ReceiveReportTest, TheLiveLineIsOfTheTimeSinceTheLastOne) {
  ReceiveReport report(false);
  add_steadily(report, 100);
  static_cast<void>(report.live_line(now_));
  now_ += seconds(1);
  EXPECT_THAT(report.live_line(now_), HasSubstr("0.00 Mbit/s  100 packets"));
  add_steadily(report, 100);
  EXPECT_THAT(report.live_line(now_), HasSubstr("1.00 Mbit/s  200 packets"));
}

TEST_F(ReceiveReportTest, TestPacketsThatAreMissingAreAFault) {
  ReceiveReport report(true);
  for (const std::uint32_t sequence : {1U, 2U, 4U, 4U}) report.add(now_ += milliseconds(1), numbered(sequence));
  EXPECT_THAT(report.text(surroundings()), HasSubstr("test packets: 1 lost, 1 duplicated, 0 reordered, 0 damaged"));
  EXPECT_FALSE(report.is_faultless({}));
  EXPECT_FALSE(report.is_smooth(surroundings()));
}

TEST_F(ReceiveReportTest, DamagedDatagramsAreAFaultOfAnyStream) {
  ReceiveReport report(false);
  add_steadily(report, 3);
  EXPECT_TRUE(report.is_faultless({}));
  ReceiveReport::Surroundings all = surroundings();
  all.drops.bad_checksum = 2;
  EXPECT_FALSE(report.is_faultless(all.drops));
  EXPECT_THAT(report.text(all), HasSubstr(", 2 damaged"));
}

TEST_F(ReceiveReportTest, LossOfATransportStreamIsALowerBound) {
  ReceiveReport report(false);
  for (const unsigned continuity : {0U, 1U, 2U, 5U, 6U}) {
    Octets payload;
    payload = ts_packet(continuity);
    report.add(now_ += milliseconds(1), payload);
  }
  EXPECT_THAT(report.text(surroundings()), HasSubstr("MPEG-TS: at least 2 lost"));
}

TEST_F(ReceiveReportTest, RtpIsCountedByItsNumbers) {
  ReceiveReport report(false);
  for (const int sequence : {1, 2, 3, 4, 5, 7, 6, 6, 9, 10}) report.add(now_ += milliseconds(1), rtp(sequence));
  const std::string text = report.text(surroundings());
  EXPECT_THAT(text, HasSubstr("RTP: 1 lost, 1 duplicated, 1 reordered"));
  EXPECT_THAT(report.live_line(now_), HasSubstr("RTP: 1 lost"));
}

TEST_F(ReceiveReportTest, AGapInASteadyFlowIsAPause) {
  ReceiveReport report(false);
  add_steadily(report, 50);
  EXPECT_TRUE(report.is_smooth(surroundings()));
  now_ += seconds(2);
  add_steadily(report, 50);
  EXPECT_THAT(report.text(surroundings()), HasSubstr("; nothing came for 2.0 s in 1 pause"));
  EXPECT_FALSE(report.is_smooth(surroundings()));
  EXPECT_TRUE(report.is_faultless({}));
}

TEST_F(ReceiveReportTest, ARareSourceHasNoPauses) {
  ReceiveReport report(false);
  for (int i = 0; i < 30; ++i) report.add(now_ += seconds(2), Octets(100, std::byte{1}));
  EXPECT_THAT(report.text(surroundings()), Not(HasSubstr("pause")));
}

TEST_F(ReceiveReportTest, TellsWhereItCameFromAndWhatBecameOfIt) {
  ReceiveReport report(false);
  add_steadily(report, 5);
  ReceiveReport::Surroundings all = surroundings();
  all.channel = "232.1.1.1";
  all.relay = Endpoint{*IpAddress::parse("192.0.2.1"), 2268};
  all.native = Receiver::Native{.interface = "eth0", .packets = 3};
  all.repaired = 4;
  all.late = 5;
  all.output_dropped = 6;
  const std::string text = report.text(all);
  EXPECT_TRUE(text.starts_with("232.1.1.1: received 5 packets, 6250 bytes"));
  EXPECT_THAT(text, HasSubstr("from relay 192.0.2.1:2268, 3 of them natively on eth0"));
  EXPECT_THAT(text, HasSubstr(", 4 repaired, 5 too late to be put in order"));
  EXPECT_THAT(text, HasSubstr("; 6 not written, the reader was too slow"));
  EXPECT_FALSE(report.is_smooth(all));
}

TEST_F(ReceiveReportTest, TheJsonHasTheSameNumbers) {
  ReceiveReport report(true);
  now_ += milliseconds(250);
  report.add(now_, numbered(1));
  now_ += seconds(1);
  report.add(now_, numbered(3));
  ReceiveReport::Surroundings all = surroundings();
  all.channel = "232.1.1.1";
  all.drops.other_port = 11;
  const boost::json::object json = boost::json::parse(report.json(all)).as_object();
  EXPECT_EQ(json.at("received").to_number<int>(), 2);
  EXPECT_EQ(json.at("lost").to_number<int>(), 1);
  EXPECT_EQ(json.at("bytes").to_number<int>(), 400);
  EXPECT_EQ(json.at("other_port").to_number<int>(), 11);
  EXPECT_DOUBLE_EQ(json.at("join_seconds").to_number<double>(), 0.25);
  EXPECT_DOUBLE_EQ(json.at("seconds").to_number<double>(), 1.0);
  EXPECT_EQ(json.at("channel").as_string(), "232.1.1.1");
  EXPECT_EQ(json.at("stream").as_string(), "test packets");
  EXPECT_TRUE(json.at("relay").is_null());
  EXPECT_TRUE(json.at("native").is_null());
}

}  // namespace
}  // namespace amt
