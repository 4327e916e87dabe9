#include "engine/runtime/named_descriptors.hh"

#include <gtest/gtest.h>

#include <array>
#include <cerrno>

#include "sys/sealed_memory.hh"

namespace amt {
namespace {

using Kind = NamedDescriptor::Kind;
using std::chrono::seconds;

TEST(NamedDescriptors, ArriveAsTheyWereHowManyThereAre) {
  auto ends = DescriptorChannel::pair();
  ASSERT_TRUE(ends);
  const SysResult<UniqueFd> memory = seal_memory(std::array{std::byte{1}});
  ASSERT_TRUE(memory);
  std::vector<LentDescriptor> lent;
  lent.push_back(
      {{.kind = Kind::kSocket, .owner = 3, .local = *Endpoint::parse("[2001:db8::1]:2268", 0)}, memory->get()});
  lent.push_back({{.kind = Kind::kCapture, .name = "eth0", .numbers = {64, 2048, 63, 1, 2, 3}}, memory->get()});
  // More than a message takes.
  for (std::size_t i = 0; i < 2 * DescriptorChannel::kDescriptorsMax; ++i) {
    lent.push_back({{.kind = Kind::kJoin}, memory->get()});
  }
  ASSERT_TRUE(send_descriptors(ends->first, lent));
  SysResult<std::vector<GivenDescriptor>> given = receive_descriptors(ends->second, seconds(1));
  ASSERT_TRUE(given);
  ASSERT_EQ(given->size(), lent.size());
  for (const GivenDescriptor& one : *given) EXPECT_TRUE(one.descriptor);
  const NamedDescriptor& socket = given->front().what;
  EXPECT_EQ(socket.owner, 3U);
  EXPECT_EQ(socket.local.to_string(), "[2001:db8::1]:2268");
  const std::optional<GivenDescriptor> capture =
      take_descriptor(*given, Kind::kCapture, [](const NamedDescriptor& what) { return what.name == "eth0"; });
  ASSERT_TRUE(capture);
  EXPECT_EQ(capture->what.numbers[2], 63U);
  EXPECT_EQ(capture->what.numbers[5], 3U);
  EXPECT_FALSE(take_descriptor(*given, Kind::kCapture));
}

TEST(NamedDescriptors, AreRefusedWhereTheEndIsMissingOrNothingReadable) {
  auto ends = DescriptorChannel::pair();
  ASSERT_TRUE(ends);
  ASSERT_TRUE(ends->first.send(std::array{std::byte{99}, std::byte{0}}, {}));
  const auto unreadable = receive_descriptors(ends->second, seconds(1));
  ASSERT_FALSE(unreadable);
  EXPECT_EQ(unreadable.error().code, EBADMSG);
  { const DescriptorChannel gone = std::move(ends->first); }
  const auto cut_off = receive_descriptors(ends->second, seconds(1));
  ASSERT_FALSE(cut_off);
  EXPECT_EQ(cut_off.error().code, ECONNRESET);
}

}  // namespace
}  // namespace amt
