#include "engine/channel_order.hh"

#include <gtest/gtest.h>

#include <string>

namespace amt {
namespace {

IpAddress group(unsigned number) { return IpAddress::from_v4(0xe8010000 + number); }

/// The packets' numbers in the order in which they are written; `groups`: of each its group.
std::vector<std::size_t> arranged(ChannelOrder& order, const std::vector<unsigned>& groups) {
  const std::vector<std::byte> octets(groups.size() + 1);
  std::vector<DataPacket> packets;
  for (std::size_t at = 0; at < groups.size(); ++at) {
    packets.push_back({.datagram = Bytes(octets).subspan(at, 1), .destination = group(groups[at])});
  }
  std::vector<std::size_t> numbers;
  for (const Bytes datagram : order.arrange(packets)) {
    numbers.push_back(static_cast<std::size_t>(datagram.data() - octets.data()));
  }
  return numbers;
}

TEST(ChannelOrder, PutsThePacketsOfAChannelTogether) {
  ChannelOrder order;
  EXPECT_EQ(arranged(order, {1, 2, 3, 1, 2, 3, 1}), (std::vector<std::size_t>{0, 3, 6, 1, 4, 2, 5}));
  EXPECT_EQ(arranged(order, {}), std::vector<std::size_t>());
  EXPECT_EQ(arranged(order, {5}), std::vector<std::size_t>{0});
  EXPECT_EQ(arranged(order, {2, 2, 2}), (std::vector<std::size_t>{0, 1, 2}));
}

TEST(ChannelOrder, KeepsChannelsOfOneGroupApart) {
  const std::vector<std::byte> octets(3);
  std::vector<DataPacket> packets;
  for (const unsigned source : {1U, 2U, 1U}) {
    packets.push_back({.datagram = Bytes(octets).subspan(packets.size(), 1),
                       .source = IpAddress::from_v4(source),
                       .destination = group(1)});
  }
  ChannelOrder order;
  const std::span<const Bytes> datagrams = order.arrange(packets);
  ASSERT_EQ(datagrams.size(), 3U);
  EXPECT_EQ(datagrams[1].data(), octets.data() + 2);
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
