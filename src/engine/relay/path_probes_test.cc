#include "engine/relay/path_probes.hh"

#include <gtest/gtest.h>

#include <set>

#include "base/random.hh"

namespace amt {
namespace {

constexpr std::size_t kSmallest = 0;

Endpoint gateway(std::uint16_t port) { return {*IpAddress::parse("192.0.2.1"), port}; }

class PathProbesTest : public ::testing::Test {
 protected:
  /// Whom the probes that are due go to.
  std::set<Endpoint> asked() {
    std::set<Endpoint> gateways;
    probes_.send_due(now_, [&](const Endpoint& to, std::span<const Bytes>) { return gateways.insert(to), true; });
    return gateways;
  }

  Instant now_{std::chrono::hours(1)};
  SeededRandom random_{7};
  PathProbes probes_{random_};
};

TEST_F(PathProbesTest, AskForAWhileWhomAClaimIsAbout) {
  probes_.ask(now_, gateway(1), kSmallest);
  EXPECT_EQ(asked(), std::set{gateway(1)});
  now_ += PathProbes::kAskFor;
  EXPECT_TRUE(asked().empty());
  EXPECT_FALSE(probes_.is_asking());
}

// Somebody forges claims about as many gateways as there are places, each again before its time is over.
TEST_F(PathProbesTest, HaveAPlaceForATrueClaimWhileAForgerClaimsTheMost) {
  const Endpoint narrow = gateway(50'000);
  std::size_t probed = 0;
  for (int second = 0; second < 10; ++second) {
    for (std::uint16_t forged = 1; forged <= PathProbes::kAskedMax; ++forged) {
      probes_.ask(now_, gateway(forged), kSmallest);
    }
    probes_.ask(now_, narrow, kSmallest);
    if (asked().contains(narrow)) ++probed;
    now_ += std::chrono::seconds(1);
  }
  EXPECT_GE(probed, 9U);
  EXPECT_LE(asked().size(), PathProbes::kAskedMax);
}

}  // namespace
}  // namespace amt
