/// Who asks for the status of a relay that is busy: what the thread sanitizer watches (`make tsan`).

#include "observe/relay_status_stream.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <boost/json/parse.hpp>
#include <boost/json/value.hpp>
#include <future>
#include <set>

#include "engine/relay/relay_engine_test_support.hh"

namespace amt {
namespace {

using namespace relay_engine_test;
namespace json = boost::json;

class RelayStatusWith : public RelayEngineWith {
 protected:
  /// On the loop's thread, piece by piece.
  void read(StatusStream* stream, std::shared_ptr<std::promise<std::string>> told, std::string so_far) {
    stream->next([this, stream, told, so_far](const std::string& piece) {
      if (piece.empty()) return told->set_value(so_far);
      // As a server does: the next one when this one has been written.
      loop_.post([this, stream, told, all = so_far + piece] { read(stream, told, all); });
    });
  }
  std::future<std::string> begin(const std::string& query) {
    const auto told = std::make_shared<std::promise<std::string>>();
    loop_.post([this, told, query] {
      auto stream = relay_status_stream(*engine_, *StatusQuery::parse(query));
      if (!stream) return told->set_value("");
      streams_.push_back(std::move(*stream));
      read(streams_.back().get(), told, "");
    });
    return told->get_future();
  }
  /// A stream whose relay ends in the middle keeps its reader, so the reader must not keep the stream.
  std::vector<std::shared_ptr<StatusStream>> streams_;

  json::object ask(const std::string& query) { return json::parse(begin(query).get()).get_object(); }

  static std::vector<std::string> endpoints(const json::object& status) {
    std::vector<std::string> out;
    for (const json::value& tunnel : status.at("tunnels").get_array()) {
      out.emplace_back(tunnel.at("endpoint").get_string());
    }
    return out;
  }
  std::vector<std::unique_ptr<Player>> players(std::size_t count) {
    std::vector<std::unique_ptr<Player>> out;
    for (std::size_t i = 0; i < count; ++i) {
      out.push_back(std::make_unique<Player>());
      EXPECT_TRUE(out.back()->join());
    }
    EXPECT_TRUE(has_tunnels(count));
    return out;
  }
};

TEST_P(RelayStatusWith, TellsEachTunnelAndEachChannelOnce) {
  run([&] {
    const auto joined = players(40);
    const json::object status = ask("");
    std::set<std::string> expected;
    for (const auto& one : joined) expected.insert(one->endpoint().to_string());
    const std::vector<std::string> told = endpoints(status);
    EXPECT_EQ(std::set<std::string>(told.begin(), told.end()), expected);
    EXPECT_EQ(told.size(), expected.size());
    EXPECT_EQ(status.at("tunnel_count"), 40);
    EXPECT_EQ(status.at("tunnels_matched"), 40);
    // Every worker has it; it is one.
    ASSERT_EQ(status.at("channels").get_array().size(), 1U);
    EXPECT_EQ(status.at("channels").get_array()[0].at("tunnels"), 40);
  });
}

TEST_P(RelayStatusWith, PagesInOrderToTheEnd) {
  run([&] {
    const auto joined = players(25);
    std::vector<std::string> told;
    std::string after;
    for (int page = 0; page < 10; ++page) {
      const std::vector<std::string> some = endpoints(ask("channels=0&limit=10" + after));
      if (some.empty()) break;
      EXPECT_LE(some.size(), 10U);
      told.insert(told.end(), some.begin(), some.end());
      after = "&after=" + some.back();
    }
    EXPECT_EQ(told.size(), 25U);
    EXPECT_EQ(std::set<std::string>(told.begin(), told.end()).size(), 25U);
  });
}

TEST_P(RelayStatusWith, TellsOnlyWhatIsAskedFor) {
  run([&] {
    const auto joined = players(12);
    EXPECT_EQ(endpoints(ask("list=tunnels&sort=since&top=3")).size(), 3U);
    EXPECT_EQ(ask("list=tunnels&top=3").at("tunnels_matched"), 12);
    EXPECT_EQ(endpoints(ask("group=232.1.0.0/16")).size(), 12U);
    EXPECT_EQ(endpoints(ask("group=232.2.0.0/16")).size(), 0U);
    EXPECT_EQ(endpoints(ask("address=127.0.0.0/8")).size(), 12U);
    EXPECT_EQ(endpoints(ask("address=192.0.2.0/24")).size(), 0U);
    const json::object none = ask("tunnels=0&address=198.51.100.0/24");
    EXPECT_FALSE(none.contains("tunnels"));
    EXPECT_EQ(none.at("channels").get_array().size(), 1U);
    EXPECT_EQ(ask("address=192.0.2.0/24").at("channels").get_array().size(), 0U);
    EXPECT_FALSE(ask("list=channels").contains("counters"));
    EXPECT_EQ(begin("list=tunnels&sort=idle").get(), "");
  });
}

// More groups than one slice takes.
TEST_P(RelayStatusWith, TellsATunnelWithVeryManyGroupsInParts) {
  run([&] {
    const auto joined = players(3);
    constexpr unsigned kGroups = 400;
    for (unsigned group = 0; group < kGroups; group += 50) {
      std::vector<Record> records;
      for (unsigned i = group; i < group + 50; ++i) {
        Record record{kAllow, address_after(ip("232.7.0.0"), i + 1), {}};
        for (unsigned source = 1; source <= 10; ++source) record.sources.push_back(address_after(kSource, source));
        records.push_back(record);
      }
      joined[1]->send(update(joined[1]->grant(), report(records)));
    }
    std::size_t most = 0;
    for (int round = 0; round < 500 && most <= kGroups; ++round) {
      const json::object status = ask("list=tunnels");
      ASSERT_EQ(status.at("tunnels").get_array().size(), 3U);
      for (const json::value& tunnel : status.at("tunnels").get_array()) {
        std::set<std::string> groups;
        for (const json::value& group : tunnel.at("groups").get_array()) {
          groups.emplace(group.at("group").get_string());
        }
        EXPECT_EQ(groups.size(), tunnel.at("groups").get_array().size());
        most = std::max(most, groups.size());
      }
    }
    EXPECT_EQ(most, kGroups + 1);
    EXPECT_EQ(ask("list=tunnels&sort=groups&top=1").at("tunnels").at(0).at("groups").get_array().size(), kGroups + 1);
  });
}

TEST_P(RelayStatusWith, StandsAStormWhileGatewaysComeAndGo) {
  const Stream stream;
  run([&] {
    const auto steady = players(16);
    std::atomic<bool> ended = false;
    std::thread reader([&] {
      const std::vector<std::string> queries = {
          "", "list=tunnels&sort=bytes&top=5", "list=channels&top=2", "limit=7", "list=counters", "group=232.1.1.1"};
      std::size_t next = 0;
      while (!ended) {
        std::vector<std::future<std::string>> asked;
        for (int i = 0; i < 4; ++i) asked.push_back(begin(queries[next++ % queries.size()]));
        for (auto& one : asked) EXPECT_TRUE(json::parse(one.get()).is_object());
      }
    });
    for (int round = 0; round < 10; ++round) {
      std::vector<std::unique_ptr<Player>> passing;
      for (int i = 0; i < 16; ++i) {
        passing.push_back(std::make_unique<Player>());
        EXPECT_TRUE(passing.back()->join());
      }
      for (const auto& one : passing) {
        EXPECT_TRUE(one->hears_data());
        one->leave();
      }
    }
    EXPECT_TRUE(has_tunnels(16));
    ended = true;
    reader.join();
    for (const auto& one : steady) EXPECT_TRUE(one->hears_data());
  });
}

// A worker's answer must not meet a stream, or an engine, that is gone.
TEST_P(RelayStatusWith, EndsInTheMiddleOfAStatus) {
  std::vector<std::future<std::string>> asked;
  run([&] {
    const auto joined = players(20);
    for (int i = 0; i < 8; ++i) asked.push_back(begin(i % 2 == 0 ? "" : "sort=bytes"));
  });
  engine_->shutdown();
  run([] { std::this_thread::sleep_for(std::chrono::milliseconds(10)); });
  engine_.reset();
  run([] { std::this_thread::sleep_for(std::chrono::milliseconds(10)); });
}

INSTANTIATE_TEST_SUITE_P(Workers, RelayStatusWith, ::testing::Values(1, 2, 4));

}  // namespace
}  // namespace amt
