#include "ip/rate_limit.hh"

#include <gtest/gtest.h>

#include <string_view>

#include "base/random.hh"

namespace amt {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

IpAddress ip(std::string_view text) { return *IpAddress::parse(text); }

class RateLimiterTest : public ::testing::Test {
 protected:
  int allowed(RateLimiter& limiter, std::string_view source, int events) {
    int count = 0;
    for (int i = 0; i < events; ++i) count += limiter.allow(now_, ip(source)) ? 1 : 0;
    return count;
  }
  SeededRandom random_{5};
  KeyedHash hash_{random_};
  Instant now_{hours(1)};
};

TEST_F(RateLimiterTest, AllowsABurstOfOneSecondAndThenTheRate) {  // R-6.1-a, X-4.1-a
  RateLimiter limiter(50, hash_);
  EXPECT_EQ(allowed(limiter, "192.0.2.1", 1000), 50);
  now_ += milliseconds(100);
  EXPECT_EQ(allowed(limiter, "192.0.2.1", 1000), 5);
  now_ += seconds(100);
  EXPECT_EQ(allowed(limiter, "192.0.2.1", 1000), 50);
}

TEST_F(RateLimiterTest, CountsAnIpv4AddressAndAnIpv6NetOf64BitsAsOneSource) {
  RateLimiter limiter(10, hash_);
  EXPECT_EQ(allowed(limiter, "192.0.2.1", 20), 10);
  EXPECT_EQ(allowed(limiter, "192.0.2.2", 20), 10);
  EXPECT_EQ(allowed(limiter, "2001:db8::1", 20), 10);
  EXPECT_EQ(allowed(limiter, "2001:db8::ffff:2", 20), 0);
  EXPECT_EQ(allowed(limiter, "2001:db8:0:1::1", 20), 10);
}

TEST_F(RateLimiterTest, ShutsNobodyOutDuringAFloodFromRandomAddresses) {
  RateLimiter limiter(10, hash_);
  for (int i = 0; i < 200'000; ++i) static_cast<void>(limiter.allow(now_, IpAddress::from_v4(random_.u32())));
  EXPECT_EQ(allowed(limiter, "192.0.2.1", 5), 5);
}

TEST_F(RateLimiterTest, HoldsABusySourceToItsLimitAmongAThousandOthers) {
  RateLimiter limiter(10, hash_);
  int count = 0;
  for (std::uint32_t i = 0; i < 1000; ++i) {
    count += allowed(limiter, "192.0.2.1", 1);
    static_cast<void>(limiter.allow(now_, IpAddress::from_v4(0x0a000000 + i)));
  }
  EXPECT_EQ(count, 10);
}

TEST_F(RateLimiterTest, AllowsEverythingWhenItIsOff) {
  RateLimiter limiter(0, hash_);
  EXPECT_EQ(allowed(limiter, "192.0.2.1", 100'000), 100'000);
}

}  // namespace
}  // namespace amt
