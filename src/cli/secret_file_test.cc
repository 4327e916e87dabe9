#include "cli/secret_file.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "cli/cli_test_support.hh"

namespace amt::cli_test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr const char* kKeyA = "0123456789abcdef0123456789abcdef";
constexpr const char* kKeyB = "fedcba9876543210fedcba9876543210";

class SecretFileTest : public ::testing::Test {
 protected:
  std::string error_of(const std::string& path) {
    const Result<SecretFile, std::string> file = read_secret_file(path);
    return file ? "" : file.error();
  }
  static bool equal(const RelaySecret& a, const RelaySecret& b) {
    return std::equal(a.data(), a.data() + RelaySecret::kOctets, b.data());
  }
  TemporaryFolder folder_;
};

TEST_F(SecretFileTest, TheSameContentIsTheSameKeyEverywhere) {
  const auto one = read_secret_file(folder_.write("one", "sixteen octets.."));
  const auto same = read_secret_file(folder_.write("same", "sixteen octets.."));
  const auto other = read_secret_file(folder_.write("other", "sixteen octets.!"));
  ASSERT_TRUE(one && same && other);
  ASSERT_EQ(one->keys.size(), 1U);
  EXPECT_TRUE(equal(one->keys[0].secret, same->keys[0].secret));
  EXPECT_FALSE(equal(one->keys[0].secret, other->keys[0].secret));
  EXPECT_THAT(one->ids, IsEmpty());
}

TEST_F(SecretFileTest, IsRefusedWhereOthersMayReadOrWriteIt) {
  EXPECT_THAT(error_of(folder_.write("read", "sixteen octets..", 0604)),
              HasSubstr("anyone on this host may read it (mode 0604; remedy: chmod o-rw)"));
  EXPECT_THAT(error_of(folder_.write("write", "sixteen octets..", 0602)), HasSubstr("may write it"));
  EXPECT_EQ(error_of(folder_.write("group", "sixteen octets..", 0640)), "");
}

TEST_F(SecretFileTest, IsRefusedWhereItIsNoSecretFile) {
  EXPECT_THAT(error_of(folder_.path("none")), HasSubstr("--secret-file " + folder_.path("none") + ": cannot be read"));
  EXPECT_THAT(error_of(folder_.path(".")), HasSubstr("it is no regular file"));
  ASSERT_EQ(::mkfifo(folder_.path("fifo").c_str(), 0600), 0);
  EXPECT_THAT(error_of(folder_.path("fifo")), HasSubstr("it is no regular file"));
}

TEST_F(SecretFileTest, HasABoundedLength) {
  EXPECT_THAT(error_of(folder_.write("short", std::string(15, 'x'))), HasSubstr("has 15 octets, must have 16 to 4096"));
  EXPECT_EQ(error_of(folder_.write("least", std::string(16, 'x'))), "");
  EXPECT_EQ(error_of(folder_.write("most", std::string(4096, 'x'))), "");
  EXPECT_THAT(error_of(folder_.write("long", std::string(4097, 'x'))), HasSubstr("has more than 4096 octets"));
}

TEST_F(SecretFileTest, OfAListTheKeyWhoseTimeCameLastSigns) {
  const auto file =
      read_secret_file(folder_.write("keys", std::string("# amt keys\nold - ") + kKeyA + "\nnow 2020-01-01T00:00:00Z " +
                                                 kKeyB + "\nnext 2190-01-01T00:00:00Z " + kKeyA + "x\n"));
  ASSERT_TRUE(file) << file.error();
  EXPECT_THAT(file->ids, ElementsAre("old", "now", "next"));
  EXPECT_EQ(file->signing, "now");
  ASSERT_EQ(file->keys.size(), 3U);
  EXPECT_FALSE(equal(file->keys[0].secret, file->keys[1].secret));
  EXPECT_GT(file->keys[2].signs_from, file->keys[1].signs_from);
}

TEST_F(SecretFileTest, OneKeyOfAListHasToSign) {
  EXPECT_THAT(error_of(folder_.write("keys", std::string("# amt keys\nnext 2190-01-01T00:00:00Z ") + kKeyA + "\n")),
              HasSubstr("no key signs yet"));
  EXPECT_THAT(error_of(folder_.write("bad", "# amt keys\nnonsense of a line\n")), HasSubstr("line 2:"));
}

}  // namespace
}  // namespace amt::cli_test
