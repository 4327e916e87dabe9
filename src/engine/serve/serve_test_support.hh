#pragma once
/// For tests: channels of `amt serve`, received from a relay that the test plays.

#include <gtest/gtest.h>
#include <sys/socket.h>

#include <memory>
#include <utility>

#include "engine/runtime/played_relay.hh"
#include "engine/serve/stream_service.hh"
#include "stream/test_stream.hh"
#include "sys/os_random.hh"

namespace amt::test {

inline constexpr std::string_view kServedSource = "198.51.100.1";
inline const Endpoint kServedGroup = endpoint("232.1.1.1:5001");
inline const ChannelKey kServedKey{{address(kServedSource), kServedGroup.address}, kServedGroup.port};

/// A transport stream of one video.
inline Octets tables() {
  Octets out = table_packet(0, 0, pat(0x100));
  append(out, table_packet(0x100, 0, pmt(0x1b, 0x101)));
  return out;
}
/// A key frame of H.264 whose PTS is so many seconds.
inline Octets key_frame(int time, int continuity) {
  const std::int64_t pts = std::int64_t{time} * 90'000;
  Octets unit = octets({0, 0, 1, 0xe0, 0, 0, 0x80, 0x80, 5, 0x21 | static_cast<int>(pts >> 29 & 0x0e),
                        static_cast<int>(pts >> 22 & 0xff), 1 | static_cast<int>(pts >> 14 & 0xfe),
                        static_cast<int>(pts >> 7 & 0xff), 1 | static_cast<int>(pts << 1 & 0xfe)});
  append(unit, octets({0, 0, 1, 0x67, 0x64, 0, 0x1f, 0, 0, 1, 0x65, 0x88}));
  return packet(0x101, continuity, true, unit);
}
/// What is no key frame.
inline Octets other_frame(int continuity) {
  return packet(0x101, continuity, true, pes(octets({0, 0, 0, 1, 9, 0xf0, 0, 0, 1, 0x41, 0x9a})));
}

class WithService : public ::testing::Test {
 protected:
  /// With little memory, so that a slow viewer is soon too slow.
  static constexpr std::size_t kRingOctets = 400 * kTsPacketOctets;

  void create(StreamServiceOptions options = {}) {
    options.ring_octets = kRingOctets;
    options.receiver_options = [this](const ChannelKey&) -> Result<ReceiverOptions, std::string> {
      if (!refusal.empty()) return Unexpected<std::string>(refusal);
      ReceiverOptions out;
      out.relays.client.gateway.candidates = {{RelayCandidate::Kind::kRelay, relay.endpoint()}};
      return out;
    };
    service.emplace(loop, std::move(options), random);
  }
  ServedChannel& open(const ChannelKey& key = kServedKey) {
    const auto opened = service->open(key);
    EXPECT_TRUE(opened);
    return **opened;
  }
  /// The relay has been asked for the channel.
  [[nodiscard]] bool is_joined() {
    return run_until(loop, [this] { return relay.count(kUpdate) != 0; });
  }
  void send(const Octets& stream) { relay.send_data(kServedSource, kServedGroup, stream); }
  /// The channel has that many transport packets.
  [[nodiscard]] bool has(const ServedChannel& channel, std::size_t packets) {
    return run_until(loop, [&] { return channel.stream().ring().end() >= packets * kTsPacketOctets; });
  }
  /// Of a service made anew: a channel that has its tables and a key frame.
  ServedChannel& open_with_key_frame() {
    create();
    ServedChannel& channel = open();
    EXPECT_TRUE(is_joined());
    send(tables());
    send(key_frame(1, 0));
    EXPECT_TRUE(has(channel, 3));
    return channel;
  }

  EventLoop loop;
  OsRandom random;
  PlayedRelay relay{loop, "127.0.0.1"};
  std::string refusal;
  std::optional<StreamService> service;
};

/// The two ends of a connection; `ours` does not block.
struct Connection {
  Connection() {
    int ends[2] = {-1, -1};
    EXPECT_EQ(::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, ends), 0);
    ours = UniqueFd(ends[0]);
    theirs = UniqueFd(ends[1]);
  }
  /// What has come.
  Octets read() const {
    Octets out;
    std::array<std::byte, 65536> piece{};
    for (ssize_t got = 0; (got = ::recv(ours.get(), piece.data(), piece.size(), MSG_DONTWAIT)) > 0;) {
      out.insert(out.end(), piece.begin(), piece.begin() + got);
    }
    return out;
  }
  UniqueFd ours;
  UniqueFd theirs;
};

}  // namespace amt::test
