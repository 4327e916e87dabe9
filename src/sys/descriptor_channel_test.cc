#include "sys/descriptor_channel.hh"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <array>
#include <cerrno>

#include "sys/sealed_memory.hh"

namespace amt {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::array kHello{std::byte{1}, std::byte{2}, std::byte{3}};

TEST(DescriptorChannel, WhatWasSentIsReadAfterTheSenderHasGone) {
  auto ends = DescriptorChannel::pair();
  ASSERT_TRUE(ends);
  const SysResult<UniqueFd> memory = seal_memory(kHello);
  ASSERT_TRUE(memory);
  ASSERT_TRUE(ends->first.send(kHello, std::array{memory->get(), memory->get()}));
  ASSERT_TRUE(ends->first.send(kHello, {}));
  { const DescriptorChannel gone = std::move(ends->first); }
  const auto first = ends->second.receive(seconds(1));
  ASSERT_TRUE(first && *first);
  EXPECT_EQ((*first)->octets, std::vector<std::byte>(kHello.begin(), kHello.end()));
  ASSERT_EQ((*first)->descriptors.size(), 2U);
  const auto inside = read_sealed_memory((*first)->descriptors[1].get(), 100);
  ASSERT_TRUE(inside);
  EXPECT_EQ(*inside, (*first)->octets);
  const auto second = ends->second.receive(seconds(1));
  ASSERT_TRUE(second && *second);
  EXPECT_TRUE((*second)->descriptors.empty());
  const auto end = ends->second.receive(seconds(1));
  ASSERT_TRUE(end);
  EXPECT_FALSE(end->has_value());
}

TEST(DescriptorChannel, WaitsNoLongerThanItIsTold) {
  auto ends = DescriptorChannel::pair();
  ASSERT_TRUE(ends);
  const auto nothing = ends->second.receive(milliseconds(5));
  ASSERT_FALSE(nothing);
  EXPECT_EQ(nothing.error().code, ETIMEDOUT);
}

TEST(SealedMemory, IsNotChangedAnyMore) {
  const SysResult<UniqueFd> memory = seal_memory(kHello);
  ASSERT_TRUE(memory);
  EXPECT_LT(::write(memory->get(), "x", 1), 0);
  EXPECT_NE(::ftruncate(memory->get(), 0), 0);
  const auto too_much = read_sealed_memory(memory->get(), 2);
  ASSERT_FALSE(too_much);
  EXPECT_EQ(too_much.error().code, EFBIG);
}

// As the kernel adds F_SEAL_EXEC where vm.memfd_noexec is set.
TEST(SealedMemory, IsReadWithOneSealMore) {
  const UniqueFd memory(::memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING));
  ASSERT_EQ(::write(memory.get(), kHello.data(), kHello.size()), static_cast<ssize_t>(kHello.size()));
  constexpr int kSeals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;
  ASSERT_EQ(::fcntl(memory.get(), F_ADD_SEALS, kSeals | F_SEAL_FUTURE_WRITE), 0);
  EXPECT_TRUE(read_sealed_memory(memory.get(), kHello.size()));
}

TEST(SealedMemory, IsReadWhereItIsSealedAlone) {
  std::array<int, 2> pipe{};
  ASSERT_EQ(::pipe(pipe.data()), 0);
  const UniqueFd read_end(pipe[0]);
  const UniqueFd write_end(pipe[1]);
  const auto other = read_sealed_memory(read_end.get(), 100);
  ASSERT_FALSE(other);
  EXPECT_EQ(other.error().code, EPERM);
}

}  // namespace
}  // namespace amt
