#include "cli/serve_access.hh"

#include <gtest/gtest.h>

#include "sys/test_namespace.hh"

namespace amt {
namespace {

std::optional<Endpoint> peer(std::string_view address) { return Endpoint{*IpAddress::parse(address), 4000}; }

using Admission = ServeAccess::Admission;

bool admits(const ServeAccess& access, const std::optional<Endpoint>& client) {
  return access.admit({.peer = client}) == Admission::kAllowed;
}

TEST(ServeAccess, LetsThoseConnectWhoAreAllowed) {
  const ServeAccess access({*Prefix::parse("192.0.2.0/24"), *Prefix::parse("2001:db8::/32")}, {}, std::nullopt);
  EXPECT_TRUE(admits(access, peer("192.0.2.77")));
  EXPECT_TRUE(admits(access, peer("2001:db8::1")));
  EXPECT_FALSE(admits(access, peer("192.0.3.1")));
  EXPECT_FALSE(admits(access, peer("2001:db9::1")));
}

TEST(ServeAccess, AlwaysLetsThisHostConnect) {
  const ServeAccess access({*Prefix::parse("192.0.2.0/24")}, {}, std::nullopt);
  EXPECT_TRUE(admits(access, std::nullopt));  // over a UNIX socket
  EXPECT_TRUE(admits(access, peer("127.0.0.1")));
  EXPECT_TRUE(admits(access, peer("::1")));
}

TEST(ServeAccess, WithATokenOthersShowIt) {
  const ServeAccess access({*Prefix::parse("192.0.2.0/24")}, {}, AccessTokens::parse("abcdefghijklmnop").value());
  EXPECT_TRUE(admits(access, peer("192.0.2.77"))) << "an address that is allowed needs none";
  EXPECT_TRUE(admits(access, peer("127.0.0.1")));
  EXPECT_EQ(access.admit({.peer = peer("192.0.3.1")}), Admission::kNoToken);
  EXPECT_EQ(access.admit({.query = "token=abcdefghijklmnoq", .peer = peer("192.0.3.1")}), Admission::kNoToken);
  const HttpRequest good{.query = "a=b&token=abcdefghijklmnop", .peer = peer("192.0.3.1")};
  EXPECT_EQ(access.admit(good), Admission::kAllowed);
  EXPECT_EQ(access.query_for(good), "token=abcdefghijklmnop");
  EXPECT_EQ(access.query_for({.query = "token=x\r\n"}), "") << "what is no token goes nowhere";
  EXPECT_EQ(access.admit({.authorization = "Bearer abcdefghijklmnop", .peer = peer("192.0.3.1")}), Admission::kAllowed);
}

TEST(ServeAccess, WithATokenSubnetsAloneDoNotDo) {
  const ServeAccess access({}, {}, AccessTokens::parse("abcdefghijklmnop").value());
  EXPECT_EQ(access.admit({.peer = peer("192.0.2.1")}), Admission::kNoToken);
}

TEST(ServeAccess, AnAddressOfTheInternetNeedsToKnowWhoMayAsk) {
  ServeConfig config;
  EXPECT_EQ(unguarded_listening(config), std::nullopt);
  config.listen = Endpoint{*IpAddress::parse("192.168.1.1"), 4022};
  EXPECT_EQ(unguarded_listening(config), std::nullopt);
  config.listen = Endpoint{*IpAddress::parse("9.9.9.9"), 4022};
  EXPECT_NE(unguarded_listening(config), std::nullopt);
  config.token_file = "/x";
  EXPECT_EQ(unguarded_listening(config), std::nullopt);
  config.token_file.reset();
  config.allowed.push_back(*Prefix::parse("198.51.100.0/24"));
  EXPECT_EQ(unguarded_listening(config), std::nullopt);
}

TEST(ServeAccess, LetsItsOwnPageAndNoPageAtAllPlay) {
  const ServeAccess access({}, {}, std::nullopt);
  EXPECT_TRUE(access.may_play({}));
  EXPECT_TRUE(access.may_play({.host = "tv.example:4022", .origin = "http://tv.example:4022"}));
  EXPECT_TRUE(access.may_play({.host = "tv.example", .origin = "https://tv.example"}));
  EXPECT_TRUE(access.may_play({.host = "tv.example", .fetch_site = "same-origin"}));
}

TEST(ServeAccess, KeepsPagesOfOtherSitesOut) {
  const ServeAccess access({}, {"https://portal.example"}, std::nullopt);
  EXPECT_FALSE(access.may_play({.host = "tv.example", .origin = "http://evil.example"}));
  EXPECT_FALSE(access.may_play({.host = "tv.example", .fetch_site = "cross-site"}));
  EXPECT_FALSE(access.may_play({.origin = "http://"}));  // a host that is not named is nobody's own
  EXPECT_TRUE(access.may_play({.host = "tv.example", .origin = "https://portal.example"}));
  EXPECT_TRUE(ServeAccess({}, {"*"}, std::nullopt).may_play({.host = "tv.example", .origin = "http://evil.example"}));
}

TEST(ServeAccess, TellsABrowserWhoMayReadTheAnswer) {
  const ServeAccess access({}, {}, std::nullopt);
  EXPECT_EQ(access.fields_for({}).front(), std::pair(std::string("Access-Control-Allow-Origin"), std::string("*")));
  const auto fields = access.fields_for({.origin = "https://portal.example"});
  EXPECT_EQ(fields.front().second, "https://portal.example");
  // Else a cache would give one site the answer that another may read.
  EXPECT_EQ(fields.at(1), std::pair(std::string("Vary"), std::string("Origin")));
}

using ServeAccessInNamespace = InTestNamespace;

TEST_F(ServeAccessInNamespace, LetsTheSubnetsOfThisHostConnectAndFollowsThem) {
  ASSERT_TRUE(ok(create_veth("lan", "other", std::nullopt)));
  ASSERT_TRUE(ok(set_link_up(find_link("lan")->index)));
  ServeAccess access({}, {}, std::nullopt);
  EXPECT_FALSE(admits(access, peer("192.0.2.9")));
  ASSERT_TRUE(ok(add_address(find_link("lan")->index, {*IpAddress::parse("192.0.2.1"), 24})));
  access.refresh();
  EXPECT_TRUE(admits(access, peer("192.0.2.9")));
  EXPECT_FALSE(admits(access, peer("192.0.3.9")));
}

}  // namespace
}  // namespace amt
