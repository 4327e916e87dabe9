#include "egress/too_big.hh"

#include <gmock/gmock.h>

#include "ip/icmp_error.hh"
#include "ip/udp.hh"

namespace amt {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

IpAddress ip(const std::string& text) { return *IpAddress::parse(text); }

std::vector<std::byte> datagram(const IpAddress& source, const IpAddress& group) {
  std::vector<std::byte> octets(2000);
  HeaderFields header;
  header.source = source;
  header.destination = group;
  header.protocol = kProtocolUdp;
  header.hop_limit = 9;
  octets.resize(write_udp_datagram(octets, header, 4000, 5000, std::vector<std::byte>(1400, std::byte{7})));
  return octets;
}

class TooBigReporterTest : public ::testing::Test {
 protected:
  void report(const std::string& source, const std::string& group, std::size_t mtu = 1400) {
    reporter_.report(now_, datagram(ip(source), ip(group)), mtu);
  }

  Instant now_{std::chrono::hours(1)};
  SeededRandom random_{3};
  std::size_t reported_ = 0;
  std::size_t not_reported_ = 0;
  bool can_send_ = true;
  std::vector<std::pair<IpAddress, std::vector<std::byte>>> sent_;
  TooBigReporter reporter_{SsmRange(), random_,
                           [this](const IpAddress& to, Bytes message) {
                             if (can_send_) sent_.emplace_back(to, std::vector(message.begin(), message.end()));
                             return can_send_;
                           },
                           [this](bool is_reported) { ++(is_reported ? reported_ : not_reported_); }};
};

TEST_F(TooBigReporterTest, TellsTheSourceOfASourceSpecificGroup) {  // S-g, R-5.3.3.6.2.1-a, R-5.3.3.6.2.2-a
  report("192.0.2.1", "232.1.2.3", 1470);
  report("2001:db8::1", "ff3e::8000:1", 1230);
  const auto v4 = datagram(ip("192.0.2.1"), ip("232.1.2.3"));
  const auto v6 = datagram(ip("2001:db8::1"), ip("ff3e::8000:1"));
  EXPECT_THAT(sent_, ElementsAre(std::pair(ip("192.0.2.1"), write_too_big(*DatagramView::parse(v4), 1470)),
                                 std::pair(ip("2001:db8::1"), write_too_big(*DatagramView::parse(v6), 1230))));
  EXPECT_EQ(reported_, 2U);
}

TEST_F(TooBigReporterTest, TellsNobodyElse) {  // S-g
  report("192.0.2.1", "239.1.2.3");
  report("2001:db8::1", "ff1e::1");
  report("127.0.0.1", "232.1.2.3");
  EXPECT_THAT(sent_, IsEmpty());
  EXPECT_EQ(not_reported_, 0U);
}

TEST_F(TooBigReporterTest, IsLimitedPerSourceAndInAll) {  // X-4.6-c
  for (int i = 0; i < 50; ++i) report("192.0.2.1", "232.1.2.3");
  EXPECT_EQ(sent_.size(), TooBigReporter::kPerSourcePerSecondMax);
  EXPECT_EQ(not_reported_, 50 - TooBigReporter::kPerSourcePerSecondMax);
  // Another source is told all the same.
  report("192.0.2.2", "232.1.2.3");
  EXPECT_EQ(sent_.back().first, ip("192.0.2.2"));
  for (int i = 0; i < 250; ++i) report("198.51.100." + std::to_string(i), "232.1.2.3");
  EXPECT_EQ(sent_.size(), TooBigReporter::kPerSecondMax);
  now_ += std::chrono::seconds(1);
  report("192.0.2.1", "232.1.2.3");
  EXPECT_EQ(sent_.size(), TooBigReporter::kPerSecondMax + 1);
}

TEST_F(TooBigReporterTest, CountsWhatCouldNotBeSent) {
  can_send_ = false;
  report("192.0.2.1", "232.1.2.3");
  EXPECT_EQ(reported_, 0U);
  EXPECT_EQ(not_reported_, 1U);
}

}  // namespace
}  // namespace amt
