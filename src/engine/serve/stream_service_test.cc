#include "engine/serve/stream_service.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/serve/serve_test_support.hh"

namespace amt::test {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

using StreamServiceTest = WithService;

TEST_F(StreamServiceTest, AViewerBeginsAtTheLastKeyFrameWithTheTables) {
  create();
  ServedChannel& channel = open();
  std::vector<std::optional<std::string>> starts;
  channel.await_start(seconds(30), [&](const std::optional<std::string>& why_not) { starts.push_back(why_not); });
  EXPECT_EQ(channel.status(monotonic_now()).state, "waiting");
  EXPECT_EQ(channel.status(monotonic_now()).viewers_waiting, 1U);
  ASSERT_TRUE(is_joined());
  send(tables());
  send(other_frame(0));
  ASSERT_TRUE(has(channel, 3));
  EXPECT_TRUE(starts.empty());
  send(key_frame(1, 1));
  ASSERT_TRUE(has(channel, 4));
  EXPECT_THAT(starts, ElementsAre(std::nullopt));

  Connection connection;
  channel.add_viewer(std::move(connection.theirs), "tv");
  Octets expected = tables();
  append(expected, key_frame(1, 1));
  EXPECT_EQ(connection.read(), expected);
  send(other_frame(2));
  Octets more;
  EXPECT_TRUE(run_until(loop, [&] {
    append(more, connection.read());
    return !more.empty();
  }));
  EXPECT_EQ(more, other_frame(2));

  const ServedChannel::Status status = channel.status(monotonic_now());
  EXPECT_EQ(status.state, "playing");
  ASSERT_EQ(status.viewers.size(), 1U);
  EXPECT_EQ(status.viewers[0].name, "tv");
  EXPECT_EQ(status.viewers[0].sent_octets, expected.size() + more.size());
  EXPECT_EQ(status.viewers[0].behind_octets, 0U);
  EXPECT_THAT(status.streams, ElementsAre("H.264"));
  EXPECT_EQ(status.packets, 4U);
  EXPECT_EQ(service->totals().viewers, 1U);
  EXPECT_EQ(service->totals().sent_octets, expected.size() + more.size());
}

TEST_F(StreamServiceTest, AViewerWhoGoesIsForgotten) {
  ServedChannel& channel = open_with_key_frame();
  Connection connection;
  channel.add_viewer(std::move(connection.theirs), "tv");
  EXPECT_EQ(service->viewer_count(), 1U);
  EXPECT_FALSE(channel.unused_since());
  connection.ours.reset();
  EXPECT_TRUE(run_until(loop, [&] { return service->viewer_count() == 0; }));
  EXPECT_TRUE(channel.unused_since());
}

TEST_F(StreamServiceTest, AViewerWhoTalksTooMuchIsLetGo) {
  ServedChannel& channel = open_with_key_frame();
  Connection connection;
  channel.add_viewer(std::move(connection.theirs), "tv");
  const Octets talk(4096);
  EXPECT_TRUE(run_until(loop, [&] {
    static_cast<void>(::send(connection.ours.get(), talk.data(), talk.size(), MSG_DONTWAIT | MSG_NOSIGNAL));
    return service->viewer_count() == 0;
  }));
}

TEST_F(StreamServiceTest, ASlowViewerGoesOnBehindAWholePacketAtANewerStart) {
  ServedChannel& channel = open_with_key_frame();
  Connection connection;
  const int small = 4096;
  ASSERT_EQ(::setsockopt(connection.theirs.get(), SOL_SOCKET, SO_SNDBUF, &small, sizeof small), 0);
  channel.add_viewer(std::move(connection.theirs), "tv");
  // Nothing is read while several rings of stream pass; from time to time there is a key frame.
  std::size_t packets = 3;
  for (int round = 0; round < 2000 && channel.status(monotonic_now()).skips == 0; ++round) {
    Octets datagram;
    for (int i = 0; i < 7; ++i) append(datagram, round % 10 == 0 && i == 0 ? key_frame(2, i) : other_frame(i));
    send(datagram);
    packets += 7;
    ASSERT_TRUE(has(channel, packets));
  }
  ASSERT_GT(channel.status(monotonic_now()).skips, 0U);
  EXPECT_GT(service->totals().skipped_octets, 0U);
  Octets got;
  ASSERT_TRUE(run_until(loop, [&] {
    append(got, connection.read());
    const ServedChannel::Status status = channel.status(monotonic_now());
    return status.viewers.empty() || status.viewers[0].behind_octets == 0;
  }));
  append(got, connection.read());
  // Whole transport packets, all of them.
  ASSERT_EQ(got.size() % kTsPacketOctets, 0U);
  for (std::size_t at = 0; at < got.size(); at += kTsPacketOctets) ASSERT_EQ(got[at], kTsSync) << at;
}

TEST_F(StreamServiceTest, WhoeverWaitsIsToldWhatIsMissing) {
  create();
  ServedChannel& channel = open();
  std::vector<std::string> reasons;
  const auto wait = [&] {
    reasons.clear();
    channel.await_start(milliseconds(1), [&](const std::optional<std::string>& why) { reasons.push_back(*why); });
    return run_until(loop, [&] { return !reasons.empty(); });
  };
  ASSERT_TRUE(wait());
  EXPECT_THAT(reasons, ElementsAre(HasSubstr("nothing has arrived: ")));
  ASSERT_TRUE(is_joined());
  send(Octets(500, std::byte{1}));
  ASSERT_TRUE(run_until(loop, [&] { return channel.status(monotonic_now()).packets == 1; }));
  ASSERT_TRUE(wait());
  EXPECT_THAT(reasons, ElementsAre(HasSubstr("no MPEG-TS")));
  send(tables());
  send(other_frame(0));
  ASSERT_TRUE(has(channel, 3));
  ASSERT_TRUE(wait());
  EXPECT_THAT(reasons, ElementsAre("the stream has had no key frame yet"));
}

TEST_F(StreamServiceTest, ChannelsAndViewersAreBounded) {
  StreamServiceOptions options;
  options.channels_max = 1;
  options.viewers_max = 2;
  create(std::move(options));
  ServedChannel& channel = open();
  ChannelKey other = kServedKey;
  other.port = 5003;
  const auto second = service->open(other);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().reason, StreamRefusal::kChannels);
  EXPECT_EQ(&open(), &channel);  // the same once more
  for (int i = 0; i < 2; ++i) channel.await_start(seconds(30), [](const std::optional<std::string>&) {});
  const auto third = service->open(kServedKey);
  ASSERT_FALSE(third);
  EXPECT_EQ(third.error().reason, StreamRefusal::kViewers);
  EXPECT_EQ(service->refused(StreamRefusal::kChannels), 1U);
  EXPECT_EQ(service->refused(StreamRefusal::kViewers), 1U);
}

TEST_F(StreamServiceTest, AChannelWithoutAWayToARelayIsRefused) {
  create();
  refusal = "no relay is known";
  const auto opened = service->open(kServedKey);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().reason, StreamRefusal::kReceiver);
  EXPECT_EQ(opened.error().text, "no relay is known");
  EXPECT_EQ(service->find(kServedKey), nullptr);
}

TEST_F(StreamServiceTest, AChannelIsLeftSomeTimeAfterTheLastViewer) {
  StreamServiceOptions options;
  options.linger = milliseconds(100);
  create(std::move(options));
  open();
  ASSERT_TRUE(is_joined());
  const std::size_t before = relay.count(kUpdate) + relay.count(kTeardown);
  EXPECT_TRUE(run_until(loop, [&] { return service->channel_count() == 0; }));
  EXPECT_TRUE(run_until(loop, [&] { return relay.count(kUpdate) + relay.count(kTeardown) > before; }));
}

TEST_F(StreamServiceTest, HlsSegmentsAreMadeForWhoeverAsks) {
  create();
  ServedChannel& channel = open();
  EXPECT_EQ(channel.use_hls(monotonic_now()), nullptr);
  int ready = 0;
  channel.await_segment(seconds(60), [&](const std::optional<std::string>& why_not) { ready += why_not ? 0 : 1; });
  ASSERT_TRUE(is_joined());
  send(tables());
  std::size_t packets = 2;
  for (int second = 1; second < 6 && ready == 0; ++second) {
    send(key_frame(second, second));
    ASSERT_TRUE(has(channel, ++packets));
  }
  EXPECT_EQ(ready, 1);
  const HlsSegmenter* const hls = channel.use_hls(monotonic_now());
  ASSERT_NE(hls, nullptr);
  EXPECT_FALSE(hls->is_empty());
  EXPECT_TRUE(channel.status(monotonic_now()).is_read_by_hls);
  EXPECT_FALSE(channel.unused_since());
}

TEST_F(StreamServiceTest, ShutdownClosesTheConnections) {
  ServedChannel& channel = open_with_key_frame();
  Connection connection;
  channel.add_viewer(std::move(connection.theirs), "tv");
  service->shutdown();
  EXPECT_EQ(service->channel_count(), 0U);
  static_cast<void>(connection.read());
  std::byte one{};
  EXPECT_EQ(::recv(connection.ours.get(), &one, 1, MSG_DONTWAIT), 0);
}

TEST(ChannelKey, IsNamedAsItStandsInAPath) {
  EXPECT_EQ(to_string(kServedKey), "198.51.100.1@232.1.1.1:5001");
  EXPECT_EQ(to_string({{std::nullopt, address("239.1.1.1")}, 5001}), "239.1.1.1:5001");
  EXPECT_EQ(to_string({{address("2001:db8::1"), address("ff3e::1")}, 5001}), "[2001:db8::1]@[ff3e::1]:5001");
}

}  // namespace
}  // namespace amt::test
