#include "egress/channel_order.hh"

#include <gtest/gtest.h>

#include <vector>

namespace amt {
namespace {

IpAddress group(unsigned number) { return IpAddress::from_v4(0xe8010000 + number); }

/// The packets' numbers in the order in which they are written; `groups`: of each its group.
std::vector<std::size_t> arranged(ChannelOrder& order, const std::vector<unsigned>& groups) {
  std::vector<DataPacket> packets;
  for (const unsigned number : groups) packets.push_back({.destination = group(number)});
  const std::span<const std::uint32_t> numbers = order.arrange(packets);
  return {numbers.begin(), numbers.end()};
}

TEST(ChannelOrder, PutsThePacketsOfAChannelTogether) {
  ChannelOrder order;
  EXPECT_EQ(arranged(order, {1, 2, 3, 1, 2, 3, 1}), (std::vector<std::size_t>{0, 3, 6, 1, 4, 2, 5}));
  EXPECT_EQ(arranged(order, {}), std::vector<std::size_t>());
  EXPECT_EQ(arranged(order, {5}), std::vector<std::size_t>{0});
  EXPECT_EQ(arranged(order, {2, 2, 2}), (std::vector<std::size_t>{0, 1, 2}));
}

TEST(ChannelOrder, KeepsChannelsOfOneGroupApart) {
  std::vector<DataPacket> packets;
  for (const std::uint32_t source : {1U, 2U, 1U}) {
    packets.push_back({.source = IpAddress::from_v4(source), .destination = group(1)});
  }
  ChannelOrder order;
  const std::span<const std::uint32_t> numbers = order.arrange(packets);
  EXPECT_EQ(std::vector(numbers.begin(), numbers.end()), (std::vector<std::uint32_t>{0, 2, 1}));
}

TEST(ChannelOrder, KeepsEachChannelInOrderHoweverManyThereAre) {
  constexpr unsigned kChannels = 3 * ChannelOrder::kChannelsMax;
  std::vector<unsigned> groups;
  for (unsigned at = 0; at < 10 * kChannels; ++at) groups.push_back(at * 7 % kChannels);
  ChannelOrder order;
  const std::vector<std::size_t> numbers = arranged(order, groups);
  ASSERT_EQ(numbers.size(), groups.size());
  std::vector<std::size_t> last(kChannels, 0);
  std::vector<bool> seen(groups.size());
  for (const std::size_t number : numbers) {
    EXPECT_FALSE(seen[number]);
    seen[number] = true;
    EXPECT_GE(number, last[groups[number]]);
    last[groups[number]] = number;
  }
}

}  // namespace
}  // namespace amt
