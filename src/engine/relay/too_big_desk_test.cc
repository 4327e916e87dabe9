#include "engine/relay/too_big_desk.hh"

#include <gtest/gtest.h>

#include "ip/udp.hh"
#include "sys/clock.hh"
#include "sys/test_namespace.hh"

namespace amt {
namespace {

std::vector<std::byte> datagram(unsigned number) {
  std::vector<std::byte> octets(2000);
  HeaderFields header;
  // In a namespace without a route nobody is told.
  header.source = *IpAddress::parse("192.0.2.1");
  header.destination = *IpAddress::parse("232.1.2.3");
  header.protocol = kProtocolUdp;
  header.hop_limit = 9;
  const std::vector<std::byte> payload(1400 + number / 256, static_cast<std::byte>(number));
  octets.resize(write_udp_datagram(octets, header, 4000, 5000, payload));
  return octets;
}

class TooBigDeskTest : public InTestNamespace {
 protected:
  /// Sources told, or who would have been if there were a way to them.
  std::uint64_t told() const {
    return counters_[RelayCounter::kTooBigReported] + counters_[RelayCounter::kTooBigNotReported];
  }
  void wait() {
    Timer end(loop_, [this] { loop_.stop(); });
    end.set(monotonic_now() + 5 * TooBigDesk::kPatience);
    loop_.run();
  }

  EventLoop loop_;
  SeededRandom random_{3};
  Counters<RelayCounter> counters_;
};

TEST_F(TooBigDeskTest, TellsOnceOfADatagramThatSeveralWorkersReport) {  // R-5.3.3.6.2.1-c
  TooBigDesk desk(loop_, SsmRange(), random_, counters_, TooBigDesk::kPatience);
  const Instant now = monotonic_now();
  desk.report(now, datagram(1), 1400);
  desk.report(now, datagram(2), 1400);
  desk.report(now, datagram(1), 1300);
  EXPECT_EQ(told(), 0U);
  wait();
  EXPECT_EQ(told(), 2U);
}

TEST_F(TooBigDeskTest, TellsAtOnceWhereThereIsOneWorker) {
  TooBigDesk desk(loop_, SsmRange(), random_, counters_, Duration::zero());
  desk.report(monotonic_now(), datagram(1), 1400);
  EXPECT_EQ(told(), 1U);
}

TEST_F(TooBigDeskTest, LetsNobodyWaitWhenMoreComeThanItHolds) {
  TooBigDesk desk(loop_, SsmRange(), random_, counters_, TooBigDesk::kPatience);
  const Instant now = monotonic_now();
  for (unsigned number = 0; number <= TooBigDesk::kWaitingMax; ++number) {
    desk.report(now, datagram(number), 1400);
  }
  EXPECT_EQ(told(), TooBigDesk::kWaitingMax);
}

}  // namespace
}  // namespace amt
