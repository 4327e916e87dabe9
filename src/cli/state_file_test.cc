#include "cli/state_file.hh"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "cli/cli_test_support.hh"

namespace amt::cli_test {
namespace {

using ::testing::HasSubstr;

class StateFileTest : public ::testing::Test {
 protected:
  std::string error_of(const std::string& path) {
    const auto taken = take_state_file(path);
    return taken ? "" : taken.error();
  }
  bool is_there(const std::string& name) { return ::access(folder_.path(name).c_str(), F_OK) == 0; }
  TemporaryFolder folder_;
};

TEST_F(StateFileTest, IsTakenAwayAsItIsRead) {
  const auto taken = take_state_file(folder_.write("state", "abc"));
  ASSERT_TRUE(taken && *taken);
  EXPECT_EQ(**taken, (std::vector<std::byte>{std::byte{'a'}, std::byte{'b'}, std::byte{'c'}}));
  EXPECT_FALSE(is_there("state"));
  const auto again = take_state_file(folder_.path("state"));
  ASSERT_TRUE(again);
  EXPECT_FALSE(*again);
}

TEST_F(StateFileTest, IsNotBelievedWhereOthersMayUseIt) {
  for (const mode_t mode : {mode_t{0640}, mode_t{0604}, mode_t{0602}}) {
    EXPECT_THAT(error_of(folder_.write("state", "abc", mode)), HasSubstr("others may use it"));
    EXPECT_TRUE(is_there("state"));
  }
}

TEST_F(StateFileTest, IsNoLinkFolderOrPipe) {
  folder_.write("real", "abc");
  ASSERT_EQ(::symlink(folder_.path("real").c_str(), folder_.path("link").c_str()), 0);
  EXPECT_NE(error_of(folder_.path("link")), "");
  EXPECT_THAT(error_of(folder_.path(".")), HasSubstr("is no regular file"));
  ASSERT_EQ(::mkfifo(folder_.path("fifo").c_str(), 0600), 0);
  EXPECT_THAT(error_of(folder_.path("fifo")), HasSubstr("is no regular file"));
  EXPECT_TRUE(is_there("real"));
}

TEST_F(StateFileTest, IsNoLargerThanAState) {
  const std::string path = folder_.write("state", "");
  if (::truncate(path.c_str(), static_cast<off_t>(kStateOctetsMax) + 1) != 0) GTEST_SKIP() << "no sparse files here";
  EXPECT_THAT(error_of(path), HasSubstr("is too large"));
}

}  // namespace
}  // namespace amt::cli_test
