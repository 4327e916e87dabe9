#include "forward/ingress_choice.hh"

#include <gtest/gtest.h>

#include <map>

#include "forward/loop_filter.hh"
#include "forward/packet_mark.hh"
#include "ip/udp.hh"

namespace amt {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

IpAddress a(const char* text) { return *IpAddress::parse(text); }

class Ingress : public ::testing::Test {
 protected:
  bool take(Instant now, std::uint32_t upstream, std::uint64_t packet) {
    return choice_.take(now, upstream, source_, group_, packet << 1, [this] { return wanted_; });
  }

  SeededRandom random_{1};
  IpAddress source_ = a("198.51.100.1");
  IpAddress group_ = a("232.1.2.3");
  std::map<IpAddress, std::uint32_t> routes_;
  int look_ups_ = 0;
  bool wanted_ = true;
  IngressChoice choice_{[this](const IpAddress& source) {
                          ++look_ups_;
                          const auto route = routes_.find(source);
                          return route == routes_.end() ? std::nullopt : std::optional(route->second);
                        },
                        random_};
};

TEST_F(Ingress, TakesTheFirstThatBringsAChannel) {
  Instant now{};
  for (std::uint64_t n = 1; n < 100; ++n, now += milliseconds(5)) {
    EXPECT_TRUE(take(now, 1, n));
    EXPECT_FALSE(take(now, 0, n)) << "a copy that comes second";
  }
  EXPECT_EQ(look_ups_, 1);
}

TEST_F(Ingress, TakesAnotherAfterASecondOfSilence) {
  Instant now{};
  EXPECT_TRUE(take(now, 0, 1));
  EXPECT_FALSE(take(now + milliseconds(999), 1, 2));
  EXPECT_TRUE(take(now + IngressChoice::kSilence, 1, 3));
  EXPECT_FALSE(take(now + IngressChoice::kSilence + milliseconds(1), 0, 4)) << "the first is back, too late";
}

TEST_F(Ingress, FollowsTheRoute) {
  routes_[source_] = 1;
  Instant now{};
  // Until the route's brings it, the other may.
  EXPECT_TRUE(take(now, 0, 1));
  EXPECT_TRUE(take(now, 0, 2));
  // It is behind: what the other brought is not taken again, and what is new comes from here.
  EXPECT_FALSE(take(now, 1, 2));
  EXPECT_FALSE(take(now, 0, 3));
  EXPECT_TRUE(take(now, 1, 3));
  EXPECT_FALSE(take(now, 0, 4));
  EXPECT_TRUE(take(now, 1, 4));
}

// A machine that stood still reads one upstream's packets, and then the other's copies of them.
TEST_F(Ingress, TakesNothingTwiceFromAnUpstreamThatIsPacketsBehind) {
  routes_[source_] = 1;
  Instant now{};
  for (std::uint64_t n = 1; n <= 20; ++n) EXPECT_TRUE(take(now, 0, n));
  for (std::uint64_t n = 1; n <= 20; ++n) EXPECT_FALSE(take(now, 1, n)) << n;
  for (std::uint64_t n = 21; n <= 40; ++n) EXPECT_TRUE(take(now, 1, n)) << n;
}

// Datagrams that are octet for octet alike.
TEST_F(Ingress, LosesNoMoreThanAMomentOfASourceThatRepeatsItself) {
  routes_[source_] = 1;
  Instant now{};
  for (int n = 0; n < 5; ++n) EXPECT_TRUE(take(now, 0, 1));
  int taken = 0;
  for (int n = 0; n < 10; ++n) taken += take(now, 1, 1) ? 1 : 0;
  EXPECT_GE(taken, 3);
  now += IngressChoice::kBehindMax;
  for (int n = 0; n < 10; ++n) EXPECT_TRUE(take(now, 1, 1));
}

TEST_F(Ingress, FollowsARouteThatChanges) {
  routes_[source_] = 0;
  Instant now{};
  EXPECT_TRUE(take(now, 0, 1));
  EXPECT_FALSE(take(now, 1, 1));
  routes_[source_] = 1;
  EXPECT_TRUE(take(now, 0, 2)) << "not looked at for each packet";
  choice_.forget_routes();
  EXPECT_FALSE(take(now, 1, 2)) << "it is taken from here now, but this one came already";
  EXPECT_TRUE(take(now, 1, 3));
  EXPECT_FALSE(take(now, 0, 3));
  EXPECT_EQ(look_ups_, 2);
}

TEST_F(Ingress, TakesASlowChannelOnceWhicheverCopyIsFirst) {
  routes_[source_] = 0;
  Instant now{};
  for (std::uint64_t n = 1; n < 20; ++n, now += seconds(3)) {
    const std::uint32_t first = n % 2;
    EXPECT_TRUE(take(now, first, n)) << n;
    EXPECT_FALSE(take(now + milliseconds(1), 1 - first, n)) << n;
  }
}

TEST_F(Ingress, RemembersOnlyWhatIsWanted) {
  wanted_ = false;
  EXPECT_TRUE(take(Instant{}, 0, 1));
  EXPECT_TRUE(take(Instant{}, 1, 1));
  EXPECT_EQ(choice_.channel_count(), 0U);
}

TEST_F(Ingress, IsBoundedAndForgetsTheSilent) {
  Instant now{};
  const auto take_from = [&](std::uint32_t upstream, std::uint32_t channel) {
    return choice_.take(now, upstream, IpAddress::from_v4(channel), group_, 2, [] { return true; });
  };
  for (std::uint32_t n = 0; n < IngressChoice::kChannelsMax; ++n) EXPECT_TRUE(take_from(0, n));
  EXPECT_TRUE(take_from(0, 1'000'000));
  EXPECT_TRUE(take_from(1, 1'000'000)) << "no room: taken from every upstream";
  now += IngressChoice::kForgotten;
  EXPECT_TRUE(take_from(0, 1'000'000));
  EXPECT_FALSE(take_from(1, 1'000'000));
  EXPECT_EQ(choice_.channel_count(), IngressChoice::kChannelsMax);
}

std::vector<std::byte> datagram(const char* source, const char* group, std::uint8_t hop_limit, std::size_t payload,
                                std::byte last) {
  HeaderFields header;
  header.source = a(source);
  header.destination = a(group);
  header.hop_limit = hop_limit;
  std::vector<std::byte> out(payload + 100);
  std::vector<std::byte> octets(payload, std::byte{7});
  if (!octets.empty()) octets.back() = last;
  out.resize(write_udp_datagram(out, header, 4000, 5000, octets));
  return out;
}

TEST(PacketMark, IsTheSameWhateverRoutersChange) {
  for (const auto& [source, group] : {std::pair{"198.51.100.1", "232.1.2.3"}, std::pair{"2001:db8::1", "ff3e::1"}}) {
    for (const std::size_t payload : {0UL, 3UL, 12UL, 1316UL}) {
      std::vector<std::byte> one = datagram(source, group, 64, payload, std::byte{1});
      std::vector<std::byte> later = one;
      EXPECT_EQ(hop_limit_of(later), 64);
      ASSERT_TRUE(decrement_hop_limit(later));
      set_ecn(later, Ecn::kCe);
      EXPECT_EQ(hop_limit_of(later), 63);
      EXPECT_EQ(packet_mark(one), packet_mark(later));
      if (payload == 0) continue;
      EXPECT_NE(packet_mark(one), packet_mark(datagram(source, group, 64, payload, std::byte{2})));
      EXPECT_NE(packet_mark(one), packet_mark(datagram(source, group, 64, payload + 1, std::byte{1})));
    }
  }
  EXPECT_NE(packet_mark(datagram("198.51.100.1", "232.1.2.3", 64, 9, std::byte{1})),
            packet_mark(datagram("198.51.100.2", "232.1.2.3", 64, 9, std::byte{1})));
}

TEST(LoopFilter, KnowsWhatComesBackWithALowerHopLimit) {
  LoopFilter filter;
  const Instant now{seconds(100)};
  EXPECT_EQ(filter.came_back(now, 7, 60), std::nullopt);
  filter.remember(now, 3, 7, 64);
  EXPECT_EQ(filter.came_back(now, 7, 63), 3U);
  EXPECT_EQ(filter.came_back(now + milliseconds(1999), 7, 1), 3U);
  EXPECT_EQ(filter.came_back(now + LoopFilter::kMemory, 7, 63), std::nullopt);
  EXPECT_EQ(filter.came_back(now, 8, 63), std::nullopt);
}

TEST(LoopFilter, LetsASourceRepeatItself) {
  LoopFilter filter;
  const Instant now{seconds(100)};
  filter.remember(now, 0, 7, 64);
  EXPECT_EQ(filter.came_back(now, 7, 64), std::nullopt);
  EXPECT_EQ(filter.came_back(now, 7, 65), std::nullopt);
}

}  // namespace
}  // namespace amt
