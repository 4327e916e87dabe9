/// The relays of the network around (DNS-SD) in the search for one source's relay.

#include "discovery/search_fixture.hh"

namespace amt {
namespace {

using namespace search_test;

class SearchWithServices : public Search {
 protected:
  SearchWithServices() { options.order = {RelayOrigin::kDnsSd, RelayOrigin::kDriad, RelayOrigin::kAnycast}; }

  const RelayOption local = option("10.0.0.9", 0, RelayOrigin::kDnsSd);
};

TEST_F(SearchWithServices, RelayOfThisNetworkComesFirst) {  // D-3.1.2-a, D-3.1.2-e
  RelaySearch search = make();
  search.handle_services(now, services({}, true));
  search.start(now, {kAnycast}, true);
  // D-3.2.2-b: both are asked at once; the source's records wait for their turn.
  search.handle_records(now, records({option("192.0.2.1", 10)}));
  EXPECT_EQ(steps(search), "look up");
  search.handle_services(now, services({local}));
  EXPECT_EQ(steps(search), "probe 10.0.0.9");
  EXPECT_EQ(pass(search, milliseconds(500)), "probe 192.0.2.1, probe 192.52.193.1");
  connect(search, "10.0.0.9");
  EXPECT_EQ(steps(search), "stop 192.0.2.1, stop 192.52.193.1, use 10.0.0.9");
  EXPECT_EQ(told, "198.51.100.1 through relay 10.0.0.9:2268 (DNS-SD)\n");
}

TEST_F(SearchWithServices, DnsSdThatIsSlowHoldsTheOthersUpForAMomentOnly) {  // D-3.2.2-b
  RelaySearch search = make();
  search.handle_services(now, services({}, true));
  search.start(now, {kAnycast}, true);
  search.handle_records(now, records({option("192.0.2.1", 10)}));
  EXPECT_EQ(pass(search, milliseconds(499)), "look up");
  EXPECT_EQ(pass(search, milliseconds(1)), "probe 192.0.2.1");
  connect(search, "192.0.2.1");
  EXPECT_EQ(steps(search), "use 192.0.2.1");
  search.handle_traffic(now);
  // A better one that comes late is raced alone, while the one in use stays.
  search.handle_services(now, services({local}, true));
  EXPECT_EQ(pass(search, seconds(2)), "probe 10.0.0.9");
  EXPECT_TRUE(search.is_delivering());
  connect(search, "10.0.0.9");
  EXPECT_EQ(steps(search), "use 10.0.0.9");
}

TEST_F(SearchWithServices, AnySourceWaitsForNeitherLong) {  // D-3.3.2-b
  RelaySearch search = make(std::nullopt);
  search.handle_services(now, services({}, true));
  search.start(now, {kAnycast}, true);
  EXPECT_EQ(pass(search, milliseconds(499)), "");
  EXPECT_EQ(pass(search, milliseconds(1)), "probe 192.52.193.1");
  search.handle_services(now, services({local}, true));
  EXPECT_EQ(pass(search, milliseconds(250)), "probe 10.0.0.9");
  fail(search, "192.52.193.1");
  fail(search, "10.0.0.9");
  EXPECT_TRUE(search.is_racing());  // one more may be found
  search.handle_services(now, services({local}));
  EXPECT_EQ(steps(search), "");
  EXPECT_EQ(told, "no relay for any source: 192.52.193.1 is silent; 10.0.0.9 is silent\n");
}

TEST_F(SearchWithServices, NoneDelaysNobody) {
  RelaySearch search = make(std::nullopt);
  search.handle_services(now, services({}, true));
  search.start(now, {kAnycast}, true);
  ServiceRelays none;
  none.problem = "no relay by DNS-SD: no _amt._udp in example.net.";
  search.handle_services(now, none);
  EXPECT_EQ(steps(search), "probe 192.52.193.1");
  fail(search, "192.52.193.1");
  EXPECT_EQ(steps(search), "");
  EXPECT_EQ(search.problem(), "no relay by DNS-SD: no _amt._udp in example.net.; 192.52.193.1 is silent");
}

TEST_F(SearchWithServices, RelayThatIsFoundAfterASearchInVainIsAskedAtOnce) {
  RelaySearch search = make(std::nullopt);
  search.start(now, {}, true);
  EXPECT_EQ(steps(search), "");
  EXPECT_FALSE(search.is_racing());
  search.handle_services(now, services({local}));
  EXPECT_EQ(pass(search, Duration::zero()), "probe 10.0.0.9");
}

TEST_F(SearchWithServices, RefreshMovesOnlyFromWhatIsNoLongerNamed) {
  const RelayOption other = option("10.0.0.8", 1, RelayOrigin::kDnsSd);
  RelaySearch search = make();
  search.handle_services(now, services({local, other}));
  search.start(now, {}, false);
  connect(search, "10.0.0.9");
  EXPECT_EQ(steps(search), "probe 10.0.0.9, use 10.0.0.9");
  search.handle_traffic(now);
  search.handle_services(now, services({other, local}));
  EXPECT_EQ(pass(search, seconds(1)), "");
  search.handle_services(now, services({other}));
  EXPECT_EQ(steps(search), "look up, probe 10.0.0.8");
  connect(search, "10.0.0.8");
  EXPECT_EQ(steps(search), "use 10.0.0.8");
}

TEST_F(SearchWithServices, RelayThatBroughtNothingIsNotTriedAgainByEachRefresh) {  // D-3.1.1-a, D-3.3.4.1-b
  RelaySearch search = make();
  search.handle_services(now, services({local}));
  search.start(now, {}, true);
  connect(search, "10.0.0.9");
  search.handle_records(now, records({option("192.0.2.1", 10)}, std::chrono::hours(2)));
  EXPECT_EQ(steps(search), "look up, probe 10.0.0.9, use 10.0.0.9");
  search.handle_reported(now);
  EXPECT_EQ(pass(search, seconds(8)), "probe 192.0.2.1");
  connect(search, "192.0.2.1");
  EXPECT_EQ(steps(search), "use 192.0.2.1");
  search.handle_traffic(now);
  for (int i = 0; i < 20; ++i) {
    search.handle_services(now, services({local}));
    EXPECT_EQ(pass(search, minutes(1)), "");
  }
}

TEST_F(SearchWithServices, OwnerMayForbidThemToo) {  // D-4.2.4-a
  RelaySearch search = make();
  search.start(now, {kAnycast}, true);
  SourceRecords none = records({}, seconds(60));
  none.no_relay = true;
  search.handle_records(now, none);
  search.handle_services(now, services({local}));
  EXPECT_EQ(pass(search, seconds(59)), "look up");
}

}  // namespace
}  // namespace amt
