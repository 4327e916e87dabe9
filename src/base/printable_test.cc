#include "base/printable.hh"

#include <gtest/gtest.h>

namespace amt {
namespace {

TEST(Printable, LeavesOrdinaryTextAlone) {
  EXPECT_EQ(printable("eth0 192.0.2.1:2268"), "eth0 192.0.2.1:2268");
  EXPECT_EQ(printable("Gr\xc3\xbc\xc3\x9f\x65"), "Gr\xc3\xbc\xc3\x9f\x65");
}

TEST(Printable, TakesAwayWhatATerminalObeys) {
  EXPECT_EQ(printable("a\x1b[2Jb\n\r\x7f"), "a\\x1b[2Jb\\x0a\\x0d\\x7f");
  EXPECT_EQ(printable("\xc2\x9b"), "\\xc2\\x9b");  // CSI as one C1 character
  EXPECT_EQ(printable("\x9b"), "\\x9b");
  EXPECT_EQ(printable(std::string_view("\0", 1)), "\\x00");
}

TEST(Printable, TakesAwayWhatIsNoUtf8) {
  EXPECT_EQ(printable("\xff"), "\\xff");
  EXPECT_EQ(printable("\xc3"), "\\xc3");
  EXPECT_EQ(printable("\xc0\xaf"), "\\xc0\\xaf");
  EXPECT_EQ(printable("\xed\xa0\x80"), "\\xed\\xa0\\x80");
}

TEST(Printable, CutsWhatIsTooLong) { EXPECT_EQ(printable("abcdef", 3), "abc..."); }

}  // namespace
}  // namespace amt
