#include "library/packet_queue.hh"

#include <gtest/gtest.h>

#include <array>
#include <string>

namespace amt {
namespace {

const Endpoint kSource{*IpAddress::parse("198.51.100.10"), 1000};
const Endpoint kGroup{*IpAddress::parse("232.1.1.1"), 5000};

Payload payload(std::string_view text) { return {std::as_bytes(std::span(text)), kSource, kGroup}; }
std::string text(const std::optional<PacketQueue::Packet>& packet) {
  if (!packet) return "none";
  std::string out;
  for (const std::byte octet : packet->payload) out += static_cast<char>(octet);
  return out;
}

TEST(PacketQueue, HandsOnInOrderWithWhereFromAndWhen) {
  PacketQueue queue(100);
  EXPECT_TRUE(queue.push(Instant(std::chrono::seconds(7)), payload("one")));
  EXPECT_TRUE(queue.push(Instant(std::chrono::seconds(8)), payload("")));
  const auto first = queue.pop();
  EXPECT_EQ(text(first), "one");
  EXPECT_EQ(first->source, kSource);
  EXPECT_EQ(first->destination, kGroup);
  EXPECT_EQ(first->arrival, Instant(std::chrono::seconds(7)));
  EXPECT_EQ(text(queue.pop()), "");
  EXPECT_EQ(text(queue.pop()), "none");
}

TEST(PacketQueue, TakesNoMoreThanItsBoundUntilAllIsRead) {
  PacketQueue queue(5);
  EXPECT_TRUE(queue.push(Instant{}, payload("12345")));
  EXPECT_FALSE(queue.push(Instant{}, payload("6")));
  EXPECT_EQ(text(queue.pop()), "12345");
  EXPECT_TRUE(queue.push(Instant{}, payload("6")));
  EXPECT_EQ(text(queue.pop()), "6");
}

TEST(PacketQueue, ForgetsWhatIsCleared) {
  PacketQueue queue(5);
  EXPECT_TRUE(queue.push(Instant{}, payload("123")));
  queue.clear();
  EXPECT_EQ(text(queue.pop()), "none");
  EXPECT_TRUE(queue.push(Instant{}, payload("12345")));
}

}  // namespace
}  // namespace amt
