#include "observe/access_token.hh"

#include <gtest/gtest.h>

namespace amt {
namespace {

constexpr const char* kToken = "abcdefghijklmnop";

std::string problem(const std::string& text) {
  const auto tokens = AccessTokens::parse(text);
  return tokens ? "" : tokens.error();
}

TEST(AccessTokens, MatchesEachAndNothingElse) {
  const auto tokens = AccessTokens::parse("# for the television\nabcdefghijklmnop\r\n\n ABCDEFGHIJKLMNOP_- \n");
  ASSERT_TRUE(tokens) << tokens.error();
  EXPECT_TRUE(tokens->matches(kToken));
  EXPECT_TRUE(tokens->matches("ABCDEFGHIJKLMNOP_-"));
  for (const char* const other :
       {"", "abcdefghijklmno", "abcdefghijklmnopq", "Abcdefghijklmnop", "# for the television"}) {
    EXPECT_FALSE(tokens->matches(other)) << other;
  }
  EXPECT_FALSE(tokens->matches(std::string(100'000, 'a')));
}

TEST(AccessTokens, RefusesWhatIsEasilyGuessedOrNoUrl) {
  EXPECT_EQ(problem(""), "has no token");
  EXPECT_EQ(problem("# only this\n"), "has no token");
  EXPECT_EQ(problem("abcdefghijklmnop\nshort\n"), "line 2: a token has 16 to 256 characters");
  EXPECT_EQ(problem("abcdefghijklmnop&"), "line 1: a token has letters, digits, - and _ only");
  EXPECT_EQ(problem(std::string(257, 'a')), "line 1: a token has 16 to 256 characters");
  std::string many;
  for (int i = 0; i < 65; ++i) many += "abcdefghijklmnop\n";
  EXPECT_EQ(problem(many), "line 65: more than 64 tokens");
}

TEST(ShownToken, StandsInTheQueryOrInTheField) {
  EXPECT_EQ(shown_token("", ""), std::nullopt);
  EXPECT_EQ(shown_token("a=b&token=x&token=y", ""), "x");
  EXPECT_EQ(shown_token("nottoken=x", ""), std::nullopt);
  EXPECT_EQ(shown_token("", "Bearer x"), "x");
  EXPECT_EQ(shown_token("", "bearer   x "), "x");
  EXPECT_EQ(shown_token("", "Basic dHY6YWJjZGVmZ2hpamtsbW5vcA=="), kToken) << "tv:abcdefghijklmnop";
  EXPECT_EQ(shown_token("", "BASIC OmE6Yg=="), "a:b") << "the first colon ends the user's name";
  EXPECT_EQ(shown_token("token=q", "Bearer x"), "q");
  for (const char* const other : {"Basic", "Basic ", "Basic !", "Basic dHY=", "Basicx", "Digest x", "Bearerx"}) {
    EXPECT_EQ(shown_token("", other), std::nullopt) << other;
  }
}

}  // namespace
}  // namespace amt
