#include "sys/network_watch.hh"

#include <gtest/gtest.h>
#include <poll.h>

namespace amt {
namespace {

bool is_readable(const NetworkWatch& watch) {
  pollfd one{watch.fd(), POLLIN, 0};
  return ::poll(&one, 1, 0) == 1;
}

TEST(NetworkWatch, DrainLeavesNothing) {
  const SysResult<NetworkWatch> watch = NetworkWatch::open();
  ASSERT_TRUE(watch) << watch.error().to_string();
  watch->drain();
  EXPECT_FALSE(is_readable(*watch));
}

}  // namespace
}  // namespace amt
