#include "engine/group_meter.hh"

#include <gtest/gtest.h>

#include <vector>

#include "relay/handmade_datagrams.hh"

namespace amt {
namespace {

using namespace relay_test;
using std::chrono::seconds;

TEST(GroupMeter, CountsWhatIsWantedSinceItIs) {
  const IpAddress group = ip("232.1.1.1");
  const IpAddress other = ip("232.1.1.2");
  const Instant start = Instant{} + seconds(100);
  const Octets wanted = in_ipv4(Octets(100), group);
  const Octets unwanted = in_ipv4(Octets(100), other);
  GroupMeter meter;
  meter.set_wanted(group, true);
  EXPECT_FALSE(meter.use(start, group).idle);

  const std::vector<Bytes> batch = {wanted, wanted, unwanted, wanted};
  meter.count(start, batch);
  const GroupUse use = meter.use(start + seconds(5), group);
  EXPECT_EQ(use.packets, 3U);
  EXPECT_EQ(use.bytes, 3 * wanted.size());
  EXPECT_EQ(use.idle, seconds(5));
  EXPECT_EQ(meter.use(start, other).packets, 0U);

  meter.set_wanted(group, true);
  EXPECT_EQ(meter.use(start, group).packets, 3U);
  meter.set_wanted(group, false);
  meter.set_wanted(group, true);
  EXPECT_EQ(meter.use(start, group).packets, 0U);
}

}  // namespace
}  // namespace amt
