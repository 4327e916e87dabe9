#include "io/peer_error.hh"

#include <gtest/gtest.h>

namespace amt {
namespace {

int tries_of(int code) {
  SendTries tries;
  int count = 1;
  while (tries.again(code)) ++count;
  return count;
}

// X-3.5-a: what ICMP says of one peer, however often, is no reason to give up another peer's message.
TEST(SendTries, GoOnThroughErrorsThatOnlyIcmpLeaves) {
  for (const int code : {ECONNREFUSED, ENOPROTOOPT, EPROTO, EHOSTDOWN}) EXPECT_EQ(tries_of(code), SendTries::kTriesMax);
  SendTries mixed;
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(mixed.again(ECONNREFUSED));
  EXPECT_TRUE(mixed.again(EHOSTUNREACH));
}

TEST(SendTries, EndSoonAtAnErrorThatMayBeTheSendsOwn) {
  for (const int code : {ENETUNREACH, EHOSTUNREACH, EACCES}) EXPECT_EQ(tries_of(code), SendTries::kOwnErrorsMax);
  EXPECT_EQ(tries_of(EMSGSIZE), 2);
  for (const int code : {EAGAIN, ENOBUFS, EIO, EINVAL, EPERM}) EXPECT_EQ(tries_of(code), 1);
}

}  // namespace
}  // namespace amt
