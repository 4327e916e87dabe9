#pragma once
/// For tests: a relay on loopback that the test plays.

#include <gtest/gtest.h>

#include <map>
#include <string_view>

#include "engine/runtime/event_loop.hh"
#include "engine/runtime/run_until.hh"
#include "gateway/test_bench.hh"
#include "io/udp_socket.hh"
#include "ip/udp.hh"

namespace amt::test {

/// It answers Requests, and counts what it is sent.
class PlayedRelay {
 public:
  PlayedRelay(Loop& loop, std::string_view at)
      : socket_(UdpSocket::bind({address(at), 0}, {}).value()), watch_(loop, socket_.fd(), [this] { on_readable(); }) {}

  [[nodiscard]] Endpoint endpoint() const { return socket_.local(); }
  [[nodiscard]] std::size_t count(std::uint8_t type) const {
    const auto found = counts_.find(type);
    return found == counts_.end() ? 0 : found->second;
  }
  /// To whoever sent the last Update.
  void send(const Octets& message) { send_to(gateway_, message); }
  /// A UDP datagram of a source, in a Multicast Data message.
  void send_data(std::string_view source, const Endpoint& group, Bytes payload) {
    Octets message(kDataOctetsMax);
    message[0] = std::byte{6};
    HeaderFields header;
    header.source = address(source);
    header.destination = group.address;
    header.protocol = kProtocolUdp;
    header.hop_limit = 9;
    message.resize(2 + write_udp_datagram(MutableBytes(message).subspan(2), header, 4000, group.port, payload));
    send(message);
  }

  bool answers = true;

 private:
  static constexpr std::size_t kDataOctetsMax = 2048;

  void on_readable() {
    ASSERT_TRUE(socket_.receive(received_));
    for (const Received& message : received_.received()) {
      message.for_each_datagram([&](Bytes datagram) {
        handle({{}, message.from, Octets(datagram.begin(), datagram.end())});
      });
    }
  }
  void handle(const Sent& message) {
    ++counts_[message.type()];
    if (message.type() == kUpdate) gateway_ = message.to;
    if (message.type() != kRequest || !answers) return;
    QueryText query;
    query.nonce = message.nonce();
    send_to(message.to, message.is_mld_request() ? query.mld() : query.igmp());
  }
  void send_to(const Endpoint& to, const Octets& octets) {
    const Bytes piece = octets;
    const Transmit message{.to = to, .pieces = {&piece, 1}};
    EXPECT_EQ(socket_.send({&message, 1}, [](const SendFailure&) {}), 1U);
  }

  UdpSocket socket_;
  ReceiveBatch received_{16};
  std::map<std::uint8_t, std::size_t> counts_;
  Endpoint gateway_;
  ReadWatch watch_;
};

}  // namespace amt::test
