#include "config/key_list.hh"

#include <gtest/gtest.h>

namespace amt {
namespace {

using std::chrono::sys_seconds;

std::string problem_of(const std::string& text) {
  const auto keys = parse_key_list(text);
  return keys ? "" : keys.error();
}

TEST(KeyList, IsToldFromASingleKeyByItsFirstLine) {
  EXPECT_TRUE(is_key_list("# amt keys\n"));
  EXPECT_TRUE(is_key_list("# amt keys\r\na - 0123456789abcdef\r\n"));
  EXPECT_FALSE(is_key_list("# amt keys and more\n"));
  EXPECT_FALSE(is_key_list("some octets that are one key"));
  EXPECT_FALSE(is_key_list(""));
}

TEST(KeyList, HasAnIdATimeAndAKeyOnEachLine) {
  const auto keys = parse_key_list(
      "# amt keys\n\n  # old ones\nfebruary - 0123456789abcdef\n  march\t2026-03-01T00:00:00Z  fedcba9876543210+/=  "
      "\n");
  ASSERT_TRUE(keys.has_value());
  ASSERT_EQ(keys->size(), 2U);
  EXPECT_EQ((*keys)[0].id, "february");
  EXPECT_EQ((*keys)[0].signs_from, std::nullopt);
  EXPECT_EQ((*keys)[0].key, "0123456789abcdef");
  EXPECT_EQ((*keys)[1].id, "march");
  EXPECT_EQ((*keys)[1].signs_from, sys_seconds(std::chrono::seconds(1'772'323'200)));
  EXPECT_EQ((*keys)[1].key, "fedcba9876543210+/=");
}

TEST(KeyList, SaysWhatIsWrongAndWhereAndNeverAKey) {
  const std::string header = "# amt keys\n";
  EXPECT_EQ(problem_of(header + "# nothing\n"), "has no key");
  EXPECT_EQ(problem_of(header + "a -\n").find("line 2: must be ID NOT-BEFORE KEY"), 0U);
  EXPECT_EQ(problem_of(header + "a - 0123456789abcdef more\n").find("line 2: must be ID NOT-BEFORE KEY"), 0U);
  EXPECT_EQ(problem_of(header + "\na/b - 0123456789abcdef\n").find("line 3: the ID"), 0U);
  EXPECT_EQ(problem_of(header + "a tomorrow 0123456789abcdef\n").find("line 2: NOT-BEFORE"), 0U);
  EXPECT_EQ(problem_of(header + "a - topsecret\n").find("line 2: the key is too short"), 0U);
  EXPECT_EQ(problem_of(header + "a - 0123456789abcdef\na - 0123456789abcdee\n"), "line 3: the ID stands there twice");
  std::string many = header;
  for (int i = 0; i < 8; ++i) many += "k" + std::to_string(i) + " - 0123456789abcdef\n";
  EXPECT_EQ(problem_of(many), "");
  EXPECT_EQ(problem_of(many + "k8 - 0123456789abcdef\n").find("line 10: more than 8 keys"), 0U);
}

TEST(KeyList, TakesTimesOfTheCalendarOnly) {
  EXPECT_EQ(parse_utc_time("1970-01-01T00:00:01Z"), sys_seconds(std::chrono::seconds(1)));
  EXPECT_EQ(parse_utc_time("2028-02-29T23:59:59Z"), sys_seconds(std::chrono::seconds(1'835'481'599)));
  for (const char* const text :
       {"2026-02-29T00:00:00Z", "2026-13-01T00:00:00Z", "2026-03-01T24:00:00Z", "2026-03-01T00:60:00Z",
        "2026-03-01 00:00:00Z", "2026-03-01T00:00:00", "2026-03-01", "2026-03-01T00:00:00+01:00",
        "9999-01-01T00:00:00Z", "1969-12-31T23:59:59Z", "+026-03-01T00:00:00Z", ""}) {
    EXPECT_EQ(parse_utc_time(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace amt
