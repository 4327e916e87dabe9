#include "gateway/group_meter.hh"

#include <gtest/gtest.h>

#include <vector>

#include "membership/handmade_datagrams.hh"

namespace amt {
namespace {

using namespace relay_test;
using std::chrono::seconds;

TEST(GroupMeter, CountsWhatIsWantedSinceItIs) {
  const IpAddress group = ip("232.1.1.1");
  const IpAddress other = ip("232.1.1.2");
  const Instant start = Instant{} + seconds(100);
  const Octets octets(100);
  const DataPacket wanted{.datagram = octets, .destination = group};
  const DataPacket unwanted{.datagram = octets, .destination = other};
  GroupMeter meter;
  meter.set_wanted(start, group, true);
  EXPECT_FALSE(meter.use(start, group).idle);

  const std::vector<DataPacket> batch = {wanted, wanted, unwanted, wanted};
  meter.count(start, batch);
  const GroupUse use = meter.use(start + seconds(5), group);
  EXPECT_EQ(use.packets, 3U);
  EXPECT_EQ(use.bytes, 3 * octets.size());
  EXPECT_EQ(use.idle, seconds(5));
  EXPECT_EQ(meter.use(start, other).packets, 0U);

  meter.set_wanted(start, group, true);
  EXPECT_EQ(meter.use(start, group).packets, 3U);
  meter.set_wanted(start, group, false);
  meter.set_wanted(start, group, true);
  EXPECT_EQ(meter.use(start, group).packets, 0U);
}

TEST(GroupMeter, NamesGroupsThatDoNotCome) {
  const Instant start = Instant{} + seconds(100);
  GroupMeter meter;
  for (const char* group : {"239.1.1.5", "239.1.1.4", "239.1.1.3", "239.1.1.2", "239.1.1.1"}) {
    meter.set_wanted(start, ip(group), true);
  }
  EXPECT_EQ(meter.missing(start + seconds(9)).groups, 0U);
  const Octets octets(100);
  const DataPacket packet{.datagram = octets, .destination = ip("239.1.1.2")};
  meter.count(start + seconds(5), {&packet, 1});
  const GroupMeter::Missing missing = meter.missing(start + seconds(12));
  EXPECT_EQ(missing.groups, 4U);
  EXPECT_EQ(missing.coming, 1U);
  EXPECT_EQ(missing.longest, Duration(seconds(12)));
  EXPECT_EQ(missing.named, (std::vector{ip("239.1.1.1"), ip("239.1.1.3"), ip("239.1.1.4")}));
  EXPECT_EQ(meter.missing(start + seconds(15)).groups, 5U);
}

}  // namespace
}  // namespace amt
