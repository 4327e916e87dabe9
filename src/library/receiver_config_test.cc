#include "library/receiver_config.hh"

#include <gtest/gtest.h>

#include <array>
#include <cstring>

namespace amt {
namespace {

constexpr const char* kUrl = "amt://198.51.100.10@232.1.1.1:5000";

ReceiveConfig config(const amt_receiver_options& options, const char* url = kUrl) {
  auto parsed = receive_config(url, options);
  EXPECT_TRUE(parsed) << parsed.error().text;
  return parsed ? *parsed : ReceiveConfig{};
}
std::string failure(const amt_receiver_options& options, const char* url = kUrl) {
  const auto parsed = receive_config(url, options);
  return parsed ? "none" : parsed.error().text;
}

TEST(ReceiverConfig, IsThatOfAmtReceive) {
  amt_receiver_options options = AMT_RECEIVER_OPTIONS_INIT;
  options.relay = "192.0.2.1,[2001:db8::1]:3000";
  options.resolvers = "192.0.2.53";
  options.discover_order = "anycast";
  options.local = "198.51.100.7";
  const ReceiveConfig got = config(options);
  EXPECT_EQ(got.urls.front().channel.to_string(), "198.51.100.10@232.1.1.1");
  EXPECT_EQ(got.urls.front().port, 5000);
  ASSERT_EQ(got.relay.relays.size(), 2U);
  EXPECT_EQ(got.relay.relays[1].port, 3000);
  EXPECT_EQ(got.relay.dns.resolvers.size(), 1U);
  EXPECT_EQ(got.relay.discover_order, std::vector{DiscoverWay::kAnycast});
  EXPECT_FALSE(got.relay.native);
  options = AMT_RECEIVER_OPTIONS_INIT;
  EXPECT_EQ(config(options, "amt://239.1.1.1?relay=192.0.2.9").urls.front().relay->to_string(), "192.0.2.9:2268");
  options.native = 1;
  options.native_interface = "eth1";
  EXPECT_EQ(config(options).relay.native_interface, "eth1");
}

TEST(ReceiverConfig, SaysWhatIsWrong) {
  amt_receiver_options options = AMT_RECEIVER_OPTIONS_INIT;
  EXPECT_NE(failure(options, nullptr), "none");
  EXPECT_NE(failure(options, ""), "none");
  EXPECT_NE(failure(options, "--help").find("--help"), std::string::npos) << "no option of a command line";
  EXPECT_NE(failure(options, "amt://192.0.2.1").find("192.0.2.1"), std::string::npos);
  EXPECT_EQ(failure(options, "amt://192.0.2.1").find('\n'), std::string::npos);
  options.relay = "";
  EXPECT_NE(failure(options), "none");
  options.relay = "192.0.2.1,";
  EXPECT_NE(failure(options), "none");
  options.relay = "--config=/etc/passwd";
  EXPECT_NE(failure(options), "none");
  EXPECT_NE(failure(options, std::string(10'000, 'a').c_str()), "none");
}

TEST(ReceiverConfig, TakesStructsOfOtherVersions) {
  amt_receiver_options options = AMT_RECEIVER_OPTIONS_INIT;
  options.relay = "192.0.2.1";
  options.queue_octets = 7;
  options.struct_size = offsetof(amt_receiver_options, discovery);
  const auto older = complete_options(&options);
  ASSERT_TRUE(older);
  EXPECT_STREQ(older->relay, "192.0.2.1");
  EXPECT_EQ(older->queue_octets, 0U) << "beyond what that caller knows";
  options.struct_size = offsetof(amt_receiver_options, discovery) + 3;
  options.discovery = "192.0.2.2";
  const auto cut = complete_options(&options);
  ASSERT_TRUE(cut);
  EXPECT_EQ(cut->discovery, nullptr) << "half a pointer";

  struct Newer {
    amt_receiver_options known = AMT_RECEIVER_OPTIONS_INIT;
    std::array<unsigned char, 8> more{};
  } newer;
  newer.known.struct_size = sizeof newer;
  EXPECT_TRUE(complete_options(&newer.known));
  newer.more[3] = 1;
  EXPECT_FALSE(complete_options(&newer.known));
  options.struct_size = 0;
  EXPECT_FALSE(complete_options(&options));
  EXPECT_TRUE(complete_options(nullptr));
}

}  // namespace
}  // namespace amt
