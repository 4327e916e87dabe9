/// Relays whose names stand for other addresses by and by.
#include <gtest/gtest.h>

#include "gateway/test_bench.hh"

namespace amt {
namespace {

using namespace test;

std::vector<RelayCandidate> relays(std::initializer_list<Endpoint> endpoints) {
  std::vector<RelayCandidate> out;
  for (const Endpoint& endpoint : endpoints) out.push_back({RelayCandidate::Kind::kRelay, endpoint});
  return out;
}

TEST(GatewayCandidates, ARelayThatIsNoneAnyMoreIsLeftAtOnce) {
  Bench bench;
  EXPECT_TRUE(bench.set("232.1.2.3", include({"198.51.100.12"})));
  EXPECT_TRUE(bench.answer_igmp());
  bench.forget();
  bench.gateway.set_candidates(bench.now, relays({kOtherRelay}));
  bench.run_for(Duration::zero());
  EXPECT_EQ(bench.gateway.relay(), kOtherRelay);
  EXPECT_EQ(bench.last(kRequest).to, kOtherRelay);
  EXPECT_TRUE(bench.answer_igmp({}, kOtherRelay));
  EXPECT_EQ(bench.gateway.phase(), GatewayPhase::kConnected);
  EXPECT_EQ(bench.all(kUpdate).size(), 1U);
}

TEST(GatewayCandidates, ARelayThatStaysIsNotDisturbed) {
  Bench bench;
  EXPECT_TRUE(bench.set("232.1.2.3", include({"198.51.100.12"})));
  EXPECT_TRUE(bench.answer_igmp());
  bench.forget();
  bench.gateway.set_candidates(bench.now, relays({kOtherRelay, kRelay}));
  bench.run_for(Duration::zero());
  EXPECT_EQ(bench.gateway.relay(), kRelay);
  EXPECT_EQ(bench.gateway.phase(), GatewayPhase::kConnected);
  EXPECT_TRUE(bench.sent.empty());
}

TEST(GatewayCandidates, ADeadRelayGivesWayToItsNewAddress) {
  Bench bench;
  EXPECT_TRUE(bench.set("232.1.2.3", include({"198.51.100.12"})));
  bench.run_for(seconds(40));
  EXPECT_EQ(bench.gateway.relay(), kRelay);
  bench.gateway.set_candidates(bench.now, relays({kOtherRelay}));
  bench.run_for(seconds(1));
  EXPECT_TRUE(bench.answer_igmp({}, kOtherRelay));
  EXPECT_EQ(bench.gateway.phase(), GatewayPhase::kConnected);
}

}  // namespace
}  // namespace amt
