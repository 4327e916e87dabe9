#pragma once
/// A relay with one gateway, and what the tests of its fan-out send and receive.

#include <gtest/gtest.h>

#include <algorithm>
#include <cerrno>
#include <vector>

#include "engine/relay/fan_out.hh"
#include "gateway/gateway.hh"
#include "ip/checksum.hh"
#include "ip/fragment.hh"
#include "ip/icmp_error.hh"
#include "ip/udp.hh"

namespace amt {

using Octets = std::vector<std::byte>;

inline const IpAddress kSource = *IpAddress::parse("198.51.100.10");
inline const IpAddress kOtherSource = *IpAddress::parse("198.51.100.11");
inline const IpAddress kGroup = *IpAddress::parse("232.1.1.1");
inline const IpAddress kLoopback = *IpAddress::parse("127.0.0.1");

inline Octets datagram(const IpAddress& source, const IpAddress& group, std::size_t payload_octets, std::uint8_t mark,
                       std::uint8_t ttl = 8, Ecn ecn = Ecn::kNotEct) {
  Octets octets(kIpv4HeaderOctets + kUdpHeaderOctets + payload_octets);
  HeaderFields header;
  header.source = source;
  header.destination = group;
  header.protocol = kProtocolUdp;
  header.hop_limit = ttl;
  header.traffic_class = static_cast<std::uint8_t>(ecn);
  const Octets payload(payload_octets, std::byte{mark});
  octets.resize(write_udp_datagram(octets, header, 4000, 5000, payload));
  return octets;
}

/// A relay with one gateway on real loopback sockets; the handshake runs in memory.
class FanOutTest : public testing::Test {
 protected:
  FanOutTest()
      : relay_socket_(UdpSocket::bind({kLoopback, 0}, {}).value()),
        gateway_socket_(UdpSocket::bind({kLoopback, 0}, {}).value()),
        relay_(relay_options(), random_, now_),
        gateway_(gateway_options(), random_, now_),
        sockets_{&relay_socket_},
        too_big_(
            SsmRange(), random_,
            [this](const IpAddress& source, Bytes message) {
              told_.emplace_back(source, Octets(message.begin(), message.end()));
              return true;
            },
            [this](bool is_reported) {
              relay_.counters().add(is_reported ? RelayCounter::kTooBigReported : RelayCounter::kTooBigNotReported);
            }),
        fan_out_(relay_, sockets_, back_end_, random_, {}, &too_big_) {}

  static RelayOptions relay_options() {
    RelayOptions options;
    options.advertise_v4 = kLoopback;
    return options;
  }
  GatewayOptions gateway_options() const {
    GatewayOptions options;
    options.candidates = {{RelayCandidate::Kind::kRelay, relay_socket_.local()}};
    options.relay_port = relay_socket_.local().port;
    return options;
  }

  void join(const IpAddress& group, const SourceFilter& filter) {
    ASSERT_TRUE(gateway_.set_membership(now_, group, filter));
    for (int round = 0; round < 8; ++round) {
      std::vector<ControlDatagram> to_relay;
      for (;;) {
        const GatewayOutput output = gateway_.poll_output();
        if (const auto* transmit = std::get_if<GatewayTransmit>(&output)) to_relay.push_back(transmit->datagram);
        if (std::holds_alternative<GatewayDeadline>(output)) break;
      }
      for (const ControlDatagram& message : to_relay) {
        static_cast<void>(relay_.handle_datagram(now_, TunnelEndpoint{gateway_socket_.local()},
                                                 LocalAddress{relay_socket_.local()}, message));
      }
      for (;;) {
        const RelayOutput output = relay_.poll_output();
        if (const auto* transmit = std::get_if<RelayTransmit>(&output)) {
          static_cast<void>(gateway_.handle_control(now_, relay_socket_.local(), transmit->datagram));
        }
        if (std::holds_alternative<Deadline>(output)) break;
      }
    }
    ASSERT_EQ(relay_.tunnel_count(), 1U);
  }

  void replicate(const std::vector<Octets>& datagrams, HopLimit hop_limit = HopLimit::kLower, FanOut* by = nullptr) {
    std::vector<Octets> frames;
    for (const Octets& inner : datagrams) {
      Octets frame(kCaptureHeadroomOctets);
      frame.insert(frame.end(), inner.begin(), inner.end());
      frames.push_back(std::move(frame));
    }
    std::vector<CapturedDatagram> batch;
    for (Octets& frame : frames) batch.push_back({MutableBytes(frame).subspan(kCaptureHeadroomOctets)});
    (by != nullptr ? *by : fan_out_).replicate(now_, batch, hop_limit);
  }

  /// The inner datagrams that reached the gateway's socket, in order.
  std::vector<Octets> received() {
    std::vector<Octets> inner;
    ReceiveBatch batch;
    while (gateway_socket_.receive(batch).value() != 0) {
      for (const Received& message : batch.received()) {
        EXPECT_EQ(message.from, relay_socket_.local());
        message.for_each_datagram([&](Bytes octets) {
          const auto data = wire::MulticastData::parse(octets);
          if (!data) return probes_.emplace_back(octets.begin(), octets.end()), void();
          inner.emplace_back(data->datagram.begin(), data->datagram.end());
          ecn_.push_back(message.ecn);
        });
      }
    }
    return inner;
  }

  /// The same with DF=1.
  static Octets uncuttable(Octets octets) {
    octets[6] |= std::byte{0x40};
    octets[10] = octets[11] = std::byte{0};
    const std::uint16_t checksum = internet_checksum(Bytes(octets).first(kIpv4HeaderOctets));
    octets[10] = static_cast<std::byte>(checksum >> 8);
    octets[11] = static_cast<std::byte>(checksum & 0xff);
    return octets;
  }

  /// This host's kernel says so of its own link.
  static SocketError link_takes(std::uint32_t mtu_octets) {
    SocketError error;
    error.to = {kLoopback, 0};
    error.code = EMSGSIZE;
    error.mtu_octets = mtu_octets;
    return error;
  }

  static Octets forwarded(Octets octets) {
    EXPECT_TRUE(decrement_hop_limit(octets));
    return octets;
  }

  Instant now_{};
  SeededRandom random_{1};
  UdpSocket relay_socket_;
  UdpSocket gateway_socket_;
  Relay relay_;
  Gateway gateway_;
  std::vector<UdpSocket*> sockets_;
  std::vector<std::pair<IpAddress, Octets>> told_;
  TooBigReporter too_big_;
  SocketBackEnd back_end_;
  FanOut fan_out_;
  std::vector<Ecn> ecn_;
  /// What reached the gateway's socket and is no Data.
  std::vector<Octets> probes_;
};

}  // namespace amt
