#include "sap/session_directory.hh"

#include <gtest/gtest.h>

namespace amt {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr std::uint64_t kNtp = 4'000'000'000;

/// A directory, and hosts that announce.
class SessionDirectoryTest : public testing::Test {
 protected:
  struct Said {
    std::string host = "192.0.2.1";  ///< the announcement's sender
    int session = 1;
    std::string name = "News";
    std::string end = "0";
    bool is_deletion = false;
    std::uint16_t hash = 0;  ///< 0: the payload's
  };
  static std::string text_of(const Said& said) {
    return "v=0\r\no=- " + std::to_string(said.session) + " 1 IN IP4 192.0.2.1\r\ns=" + said.name +
           "\r\nc=IN IP4 239.1.1.1/16\r\nt=0 " + said.end + "\r\nm=video 5004 RTP/AVP 33\r\n";
  }
  std::optional<SapCounter> say(const Said& said) { return say(said, text_of(said)); }
  std::optional<SapCounter> say(const Said& said, const std::string& payload) {
    now_ += seconds(1);
    const SapPacket packet{.is_deletion = said.is_deletion,
                           .message_id_hash = said.hash != 0 ? said.hash : message_id_hash(payload),
                           .origin = *IpAddress::parse("192.0.2.1"),
                           .payload = payload};
    return directory_.handle_datagram(now_, kNtp, *IpAddress::parse(said.host), packet.serialise());
  }
  [[nodiscard]] std::size_t size() const { return directory_.sessions().size(); }
  [[nodiscard]] std::uint64_t count(SapCounter which) const { return directory_.counters()[which]; }
  void wait(Duration time) {
    now_ += time;
    if (directory_.next_deadline() <= now_) directory_.handle_timeout(now_);
  }

  Instant now_{hours(100)};
  SeededRandom random_{1};
  SessionDirectory directory_{random_};
};

TEST_F(SessionDirectoryTest, KeepsASessionForAnHour) {
  EXPECT_EQ(say({}), std::nullopt);
  ASSERT_EQ(size(), 1U);
  EXPECT_EQ(directory_.sessions().begin()->second.description.name, "News");
  wait(hours(1) - seconds(1));
  EXPECT_EQ(size(), 1U);
  wait(seconds(2));
  EXPECT_EQ(size(), 0U);
  EXPECT_EQ(count(SapCounter::kExpired), 1U);
  EXPECT_EQ(directory_.next_deadline(), kNoDeadline);
}

TEST_F(SessionDirectoryTest, KeepsForTenPeriodsWhatIsAnnouncedSeldom) {
  say({});
  wait(minutes(30));
  say({});
  wait(hours(4) + minutes(50));
  EXPECT_EQ(size(), 1U);
  wait(minutes(20));
  EXPECT_EQ(size(), 0U);
}

TEST_F(SessionDirectoryTest, AnotherAnnouncementRefreshes) {
  say({});
  const std::uint64_t changes = directory_.changes();
  for (int i = 0; i < 10; ++i) {
    wait(minutes(50));
    say({});
  }
  EXPECT_EQ(size(), 1U);
  EXPECT_EQ(directory_.changes(), changes) << "nothing is new";
}

TEST_F(SessionDirectoryTest, AnEndIsAnEnd) {
  EXPECT_EQ(say({.end = std::to_string(kNtp)}), SapCounter::kEnded);
  EXPECT_EQ(say({.end = std::to_string(kNtp + 60)}), std::nullopt);
  wait(seconds(59));
  EXPECT_EQ(size(), 1U);
  wait(seconds(2));
  EXPECT_EQ(size(), 0U);
  EXPECT_EQ(say({.end = std::to_string(UINT64_MAX)}), std::nullopt) << "an end of the far future";
  EXPECT_GT(directory_.next_deadline(), now_);
}

TEST_F(SessionDirectoryTest, AChangeReplaces) {
  say({});
  const std::uint64_t changes = directory_.changes();
  EXPECT_EQ(say({.name = "More news"}), std::nullopt);
  ASSERT_EQ(size(), 1U);
  EXPECT_EQ(directory_.sessions().begin()->second.description.name, "More news");
  EXPECT_GT(directory_.changes(), changes);
}

TEST_F(SessionDirectoryTest, DeletesByHashOrByOriginLine) {
  say({.hash = 7});
  EXPECT_EQ(say({.session = 2, .is_deletion = true, .hash = 8}), std::nullopt);
  EXPECT_EQ(size(), 1U) << "of another session";
  say({.session = 2, .is_deletion = true, .hash = 7});
  EXPECT_EQ(size(), 0U);
  say({});
  say({.is_deletion = true, .hash = 9}, "o=- 1 1 IN IP4 192.0.2.1\r\n");
  EXPECT_EQ(size(), 0U);
  EXPECT_EQ(count(SapCounter::kDeletions), 2U);
}

TEST_F(SessionDirectoryTest, AnotherHostChangesAndDeletesNothing) {
  say({});
  EXPECT_EQ(say({.host = "192.0.2.66", .name = "Forged"}), SapCounter::kForeign);
  EXPECT_EQ(say({.host = "192.0.2.66", .is_deletion = true}), SapCounter::kForeign);
  ASSERT_EQ(size(), 1U);
  EXPECT_EQ(directory_.sessions().begin()->second.description.name, "News");
  EXPECT_EQ(count(SapCounter::kForeign), 2U);
}

TEST_F(SessionDirectoryTest, RefusesWhatIsNoChannel) {
  EXPECT_EQ(say({}, "v=1 nonsense"), SapCounter::kMalformed);
  EXPECT_EQ(say({}, "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=x\r\n"), SapCounter::kNoStream);
  const std::vector<std::byte> short_packet(3);
  EXPECT_EQ(directory_.handle_datagram(now_, kNtp, IpAddress{}, short_packet), SapCounter::kMalformed);
  EXPECT_EQ(size(), 0U);
}

TEST_F(SessionDirectoryTest, IsBoundedByHostAndInAll) {
  const auto fill = [&](const std::string& host, int first) {
    for (std::size_t i = 0; i <= SessionDirectory::kSessionsPerHostMax; ++i) {
      say({.host = host, .session = first + static_cast<int>(i)});
    }
  };
  fill("192.0.2.1", 0);
  EXPECT_EQ(size(), SessionDirectory::kSessionsPerHostMax);
  EXPECT_EQ(count(SapCounter::kFull), 1U);
  for (int host = 2; host < 10; ++host) fill("192.0.2." + std::to_string(host), host * 1000);
  EXPECT_EQ(size(), SessionDirectory::kSessionsMax);
  EXPECT_EQ(say({.session = 0}), std::nullopt) << "what is known stays known";
}

TEST_F(SessionDirectoryTest, AFloodIsNotLookedAtAndHindersNobodyElse) {
  const SapPacket packet{.message_id_hash = 1, .payload = text_of({})};
  const std::vector<std::byte> octets = packet.serialise();
  const auto flood = [&](const std::string& host) {
    std::uint32_t taken = 0;
    for (int i = 0; i < 1'000; ++i) {
      taken += directory_.handle_datagram(now_, kNtp, *IpAddress::parse(host), octets) == SapCounter::kRate ? 0 : 1;
    }
    return taken;
  };
  EXPECT_EQ(flood("192.0.2.9"), SessionDirectory::kPerHostAndSecondMax);
  EXPECT_EQ(count(SapCounter::kRate), 1'000 - SessionDirectory::kPerHostAndSecondMax);
  EXPECT_EQ(flood("192.0.2.10"), SessionDirectory::kPerHostAndSecondMax) << "another host";
  EXPECT_EQ(flood("192.0.2.11"), 0U) << "all hosts together";
  now_ += seconds(1);
  EXPECT_EQ(flood("192.0.2.9"), SessionDirectory::kPerHostAndSecondMax);
}

TEST_F(SessionDirectoryTest, CountsAuthenticationDataThatNobodyChecks) {
  const SapPacket packet{.message_id_hash = 1, .payload = text_of({})};
  std::vector<std::byte> octets = packet.serialise();
  octets[1] = std::byte{1};
  octets.insert(octets.begin() + 20, 4, std::byte{0});
  EXPECT_EQ(directory_.handle_datagram(now_, kNtp, IpAddress{}, octets), std::nullopt);
  EXPECT_EQ(count(SapCounter::kSigned), 1U);
  EXPECT_EQ(size(), 1U);
}

}  // namespace
}  // namespace amt
