#include "io/udp_socket.hh"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <netinet/udp.h>
#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <deque>
#include <numeric>
#include <vector>

#include "ip/checksum.hh"
#include "ip/udp.hh"
#include "sys/socket_address.hh"
#include "sys/test_namespace.hh"

namespace amt {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

/// So long without anything: nothing more comes. A busy machine delivers a packet some hundred milliseconds late.
constexpr int kQuietMs = 1000;

/// Every datagram, cut apart, until there are `wanted` or nothing more comes.
struct Arrived {
  std::vector<std::byte> bytes;
  Endpoint from;
  Ecn ecn = Ecn::kNotEct;
};
std::vector<Arrived> collect(UdpSocket& socket, std::size_t wanted) {
  std::vector<Arrived> all;
  ReceiveBatch batch;
  for (int round = 0; round < 200 && all.size() < wanted; ++round) {
    pollfd ready{socket.fd(), POLLIN, 0};
    if (::poll(&ready, 1, kQuietMs) == 0) break;
    const SysResult<std::size_t> got = socket.receive(batch);
    EXPECT_TRUE(got.has_value());
    for (const Received& received : batch.received()) {
      received.for_each_datagram([&](MutableBytes datagram) {
        all.push_back({{datagram.begin(), datagram.end()}, received.from, received.ecn});
      });
    }
  }
  return all;
}

class UdpSocketOf : public ::testing::TestWithParam<const char*> {
 protected:
  static UdpSocket open(const UdpOptions& options = {}) {
    SysResult<UdpSocket> socket = UdpSocket::bind({*IpAddress::parse(GetParam()), 0}, options);
    if (!socket) throw std::runtime_error(socket.error().to_string());
    return std::move(*socket);
  }

  /// Where nobody listens.
  static Endpoint closed_port() { return open().local(); }
};

std::vector<std::byte> numbered(std::size_t octets, unsigned first = 0) {
  std::vector<std::byte> bytes(octets);
  for (std::size_t i = 0; i < octets; ++i) bytes[i] = static_cast<std::byte>((first + i * 7) & 0xff);
  return bytes;
}

const auto kNoErrors = [](const SendFailure& failure) { ADD_FAILURE() << failure.index << ": errno " << failure.code; };

TEST_P(UdpSocketOf, CarriesPiecesAsOneDatagramWithItsEcn) {  // E-9601-f, E-6040-b: the outer field both ways
  UdpSocket a = open();
  UdpSocket b = open();
  const std::vector<std::byte> head = numbered(2);
  const std::vector<std::byte> body = numbered(1316, 9);
  const std::array<Bytes, 2> pieces = {Bytes(head), Bytes(body)};
  const std::array<Bytes, 1> alone = {Bytes(head)};
  const std::array<Transmit, 3> messages = {Transmit{b.local(), pieces, 0, Ecn::kCe},
                                            Transmit{b.local(), alone, 0, Ecn::kNotEct},
                                            Transmit{b.local(), {}, 0, Ecn::kEct0}};
  EXPECT_EQ(a.send(messages, kNoErrors), 3U);
  const std::vector<Arrived> got = collect(b, 3);
  ASSERT_EQ(got.size(), 3U);
  std::vector<std::byte> whole = head;
  whole.insert(whole.end(), body.begin(), body.end());
  EXPECT_EQ(got[0].bytes, whole);
  EXPECT_EQ(got[0].from, a.local());
  EXPECT_EQ(got[0].ecn, Ecn::kCe);
  EXPECT_EQ(got[1].bytes, head);
  EXPECT_EQ(got[1].ecn, Ecn::kNotEct);
  EXPECT_TRUE(got[2].bytes.empty());
  EXPECT_EQ(got[2].ecn, Ecn::kEct0);
}

TEST_P(UdpSocketOf, CutsAndMergesWithoutChangingTheDatagrams) {
  for (const bool receive_offload : {false, true}) {
    UdpSocket a = open();
    UdpOptions options;
    options.receive_offload = receive_offload;
    UdpSocket b = open(options);
    // Pieces do not line up with the segments, the last segment is shorter.
    const std::vector<std::byte> stream = numbered(20 * 1000 + 123);
    const Bytes all(stream);
    const std::array<Bytes, 3> pieces = {all.first(777), all.subspan(777, 9000), all.subspan(9777)};
    const std::array<Transmit, 1> messages = {Transmit{b.local(), pieces, 1000, Ecn::kEct1}};
    EXPECT_EQ(a.send(messages, kNoErrors), 1U);
    const std::vector<Arrived> got = collect(b, 21);
    ASSERT_EQ(got.size(), 21U);
    for (std::size_t i = 0; i < got.size(); ++i) {
      const Bytes expected = all.subspan(i * 1000, std::min<std::size_t>(1000, all.size() - i * 1000));
      EXPECT_THAT(got[i].bytes, ::testing::ElementsAreArray(expected)) << i;
      EXPECT_EQ(got[i].ecn, Ecn::kEct1);
    }
  }
}

TEST_P(UdpSocketOf, SendsOneByOneWhatTheKernelDoesNotCut) {
  UdpSocket a = open();
  UdpSocket b = open();
  // 300 segments are more than any kernel takes in one call: EINVAL.
  const std::vector<std::byte> stream = numbered(300 * 10 + 3);
  const std::array<Bytes, 1> pieces = {Bytes(stream)};
  const std::array<Transmit, 2> messages = {Transmit{b.local(), pieces, 10, Ecn::kNotEct},
                                            Transmit{b.local(), {pieces.data(), 1}, 1001, Ecn::kNotEct}};
  EXPECT_EQ(a.send(messages, kNoErrors), 2U);
  const std::vector<Arrived> got = collect(b, 304);
  ASSERT_EQ(got.size(), 304U);
  EXPECT_EQ(got[0].bytes.size(), 10U);
  EXPECT_EQ(got[300].bytes.size(), 3U);
  EXPECT_EQ(got[301].bytes.size(), 1001U);
  EXPECT_EQ(got[303].bytes.size(), 1001U);
}

TEST_P(UdpSocketOf, SendsManyMessagesInOrder) {
  UdpSocket a = open();
  UdpSocket b = open();
  std::deque<std::vector<std::byte>> bodies;
  std::vector<std::array<Bytes, 1>> pieces(500);
  std::vector<Transmit> messages;
  for (unsigned i = 0; i < 500; ++i) {
    bodies.push_back(numbered(20, i));
    pieces[i] = {Bytes(bodies.back())};
    messages.push_back({b.local(), pieces[i], 0, Ecn::kNotEct});
  }
  EXPECT_EQ(a.send(messages, kNoErrors), 500U);
  const std::vector<Arrived> got = collect(b, 500);
  ASSERT_EQ(got.size(), 500U);
  for (std::size_t i = 0; i < 500; ++i) EXPECT_EQ(got[i].bytes, bodies[i]) << i;
}

TEST_P(UdpSocketOf, HearsAgainWhatCameWhileItSentInBulk) {
  const auto is_readable = [](const UdpSocket& socket) {
    pollfd ready{socket.poll_fd(), POLLIN, 0};
    return ::poll(&ready, 1, 10'000) == 1;
  };
  UdpSocket a = open({.quiet_while_sending = true});
  UdpSocket b = open();
  const std::vector<std::byte> payload = numbered(100);
  const std::array<Bytes, 1> pieces = {Bytes(payload)};
  const std::vector<Transmit> bulk(64, Transmit{b.local(), pieces});
  ASSERT_EQ(a.send(bulk, kNoErrors), bulk.size());
  pollfd none{a.poll_fd(), POLLIN, 0};
  EXPECT_EQ(::poll(&none, 1, 0), 0) << "nothing has come";
  ASSERT_EQ(b.send(std::array{Transmit{a.local(), pieces}}, kNoErrors), 1U);
  EXPECT_TRUE(is_readable(a));
  // Still there when the next bulk is over; and so is an error.
  ASSERT_EQ(a.send(bulk, kNoErrors), bulk.size());
  EXPECT_TRUE(is_readable(a));
  EXPECT_EQ(collect(a, 1).size(), 1U);
  static_cast<void>(a.send(std::vector<Transmit>(64, Transmit{closed_port(), pieces}), [](const SendFailure&) {}));
  EXPECT_TRUE(is_readable(a));
  int refused = 0;
  a.poll_errors([&](const SocketError&) { ++refused; });
  EXPECT_GT(refused, 0);
}

TEST_P(UdpSocketOf, ErrorsOfOnePeerHarmNoOther) {  // X-3.5-a
  UdpSocket a = open();
  UdpSocket b = open();
  const Endpoint dead = closed_port();
  const std::vector<std::byte> body = numbered(100);
  const std::array<Bytes, 1> pieces = {Bytes(body)};
  std::vector<Transmit> messages;
  for (int i = 0; i < 20; ++i) {
    messages.push_back({dead, pieces, 0, Ecn::kNotEct});
    messages.push_back({b.local(), pieces, 0, Ecn::kNotEct});
  }
  for (int round = 0; round < 10; ++round) {
    a.send(messages, [&](const SendFailure& failure) { EXPECT_EQ(messages[failure.index].to, dead); });
    ReceiveBatch batch;
    const SysResult<std::size_t> got = a.receive(batch);
    ASSERT_TRUE(got.has_value()) << got.error().to_string();
    EXPECT_EQ(*got, 0U);
  }
  EXPECT_EQ(collect(b, 200).size(), 200U);
  // Also when the error of one call meets the next.
  for (int i = 0; i < 20; ++i) {
    a.send(std::span(messages).first(1), kNoErrors);
    EXPECT_EQ(a.send(std::span(messages).subspan(1, 1), kNoErrors), 1U);
  }
  EXPECT_EQ(collect(b, 20).size(), 20U);
  std::size_t refused = 0;
  a.poll_errors([&](const SocketError& error) {
    EXPECT_EQ(error.to, dead);
    EXPECT_EQ(error.code, ECONNREFUSED);
    ++refused;
  });
  EXPECT_GT(refused, 0U);
  refused = 0;
  a.poll_errors([&](const SocketError&) { ++refused; });
  EXPECT_EQ(refused, 0U);
}

class UdpSocketAndIcmp : public InTestNamespace {
 protected:
  /// Sends an ICMP error that quotes a datagram from `from` to `to`.
  static void quote(std::uint8_t type, std::uint8_t code, const Endpoint& from, const Endpoint& to,
                    Bytes payload = {}) {
    std::vector<std::byte> message(8 + kIpv4HeaderOctets + kUdpHeaderOctets + payload.size());
    message[0] = std::byte{type};
    message[1] = std::byte{code};
    const HeaderFields header{.source = from.address, .destination = to.address, .hop_limit = 64};
    write_udp_datagram(std::span(message).subspan(8), header, from.port, to.port, payload);
    ByteWriter(std::span(message).subspan(2)).u16(internet_checksum(message));
    const UniqueFd raw(::socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMP));
    const SocketAddress victim({from.address, 0});
    ASSERT_EQ(::sendto(raw.get(), message.data(), message.size(), 0, victim.data(), victim.size()),
              static_cast<ssize_t>(message.size()));
  }
};

TEST_F(UdpSocketAndIcmp, TellsDestinationUnreachableFromTimeExceeded) {  // R-5.3.3.6.4-a
  SysResult<UdpSocket> socket = UdpSocket::bind({*IpAddress::parse("127.0.0.1"), 0}, {});
  ASSERT_TRUE(ok(socket));
  const Endpoint gateway{*IpAddress::parse("192.0.2.7"), 51000};
  quote(ICMP_TIME_EXCEEDED, 0, socket->local(), gateway);
  quote(ICMP_DEST_UNREACH, ICMP_HOST_UNREACH, socket->local(), gateway);
  quote(ICMP_DEST_UNREACH, ICMP_FRAG_NEEDED, socket->local(), gateway);
  std::vector<std::pair<int, bool>> errors;
  socket->poll_errors([&](const SocketError& error) {
    EXPECT_EQ(error.to, gateway);
    errors.emplace_back(error.code, error.is_unreachable);
  });
  EXPECT_THAT(errors,
              ElementsAre(std::pair(EHOSTUNREACH, false), std::pair(EHOSTUNREACH, true), std::pair(EMSGSIZE, false)));
}

TEST_F(UdpSocketAndIcmp, HandsOnWhatIsQuoted) {  // C-6936-4.10
  SysResult<UdpSocket> socket = UdpSocket::bind({*IpAddress::parse("127.0.0.1"), 0}, {});
  ASSERT_TRUE(ok(socket));
  const Endpoint gateway{*IpAddress::parse("192.0.2.7"), 51000};
  const std::vector<std::byte> payload = numbered(100);
  // Headers alone: a router need not quote more (RFC 792).
  quote(ICMP_DEST_UNREACH, ICMP_FRAG_NEEDED, socket->local(), gateway);
  quote(ICMP_DEST_UNREACH, ICMP_FRAG_NEEDED, socket->local(), gateway, payload);
  std::vector<std::vector<std::byte>> quotes;
  socket->poll_errors(
      [&](const SocketError& error) { quotes.emplace_back(error.quote().begin(), error.quote().end()); });
  const std::vector<std::byte> head(payload.begin(), payload.begin() + SocketError::kQuoteOctetsMax);
  EXPECT_THAT(quotes, ElementsAre(std::vector<std::byte>{}, head));
}

class UdpSocketOnANarrowPath : public InTestNamespace, public ::testing::WithParamInterface<const char*> {};

TEST_P(UdpSocketOnANarrowPath, NeverFragmentsAndReportsTheMtu) {  // R-5.3.3.6.3.1-c, R-5.3.3.6.3.2-a, R-5.3.3.6.1-b
  ASSERT_TRUE(ok(set_link_mtu(find_link("lo")->index, 1400)));
  SysResult<UdpSocket> a = UdpSocket::bind({*IpAddress::parse(GetParam()), 0}, {});
  SysResult<UdpSocket> b = UdpSocket::bind({*IpAddress::parse(GetParam()), 0}, {});
  ASSERT_TRUE(ok(a) && ok(b));
  const std::size_t fits = a->local().address.is_v4() ? 1400 - 28 : 1400 - 48;
  const std::vector<std::byte> bytes = numbered(10 * fits);
  const std::array<Bytes, 1> all = {Bytes(bytes)};
  const std::array<Bytes, 1> one_too_many = {Bytes(bytes).first(fits + 1)};
  const std::array<Bytes, 1> full = {Bytes(bytes).first(fits)};
  const std::array<Transmit, 5> messages = {
      Transmit{b->local(), full, 0, Ecn::kNotEct}, Transmit{b->local(), one_too_many, 0, Ecn::kNotEct},
      Transmit{b->local(), all, fits + 1, Ecn::kNotEct}, Transmit{b->local(), all, fits, Ecn::kNotEct},
      Transmit{b->local(), full, 0, Ecn::kNotEct}};
  std::vector<std::pair<std::size_t, int>> errors;
  std::vector<std::uint64_t> unsent;
  const auto note = [&](const SendFailure& failure) {
    errors.emplace_back(failure.index, failure.code);
    unsent.push_back(failure.unsent);
  };
  EXPECT_EQ(a->send(messages, note), 3U);
  EXPECT_THAT(errors, ElementsAre(std::pair<std::size_t, int>(1, EMSGSIZE), std::pair<std::size_t, int>(2, EMSGSIZE)));
  // Of the third message only the last, shorter datagram fits.
  EXPECT_THAT(unsent, ElementsAre(UINT64_MAX, 0x1ff));
  const std::vector<Arrived> got = collect(*b, 13);
  ASSERT_EQ(got.size(), 13U);
  EXPECT_EQ(got[1].bytes.size(), 10 * fits - 9 * (fits + 1));
  std::size_t reports = 0;
  a->poll_errors([&](const SocketError& error) {
    EXPECT_EQ(error.to.address, b->local().address);
    EXPECT_EQ(error.code, EMSGSIZE);
    EXPECT_EQ(error.mtu_octets, 1400U);
    ++reports;
  });
  EXPECT_GT(reports, 0U);
}

INSTANTIATE_TEST_SUITE_P(Families, UdpSocketOnANarrowPath, ::testing::Values("127.0.0.1", "::1"));

TEST_P(UdpSocketOf, CountsWhatTheFullReceiveBufferDropped) {
  UdpSocket a = open();
  UdpOptions options;
  options.receive_buffer_octets = 4096;
  UdpSocket b = open(options);
  const std::vector<std::byte> body = numbered(1000);
  const std::array<Bytes, 1> pieces = {Bytes(body)};
  const std::vector<Transmit> messages(100, Transmit{b.local(), pieces, 0, Ecn::kNotEct});
  a.send(messages, kNoErrors);
  const std::size_t first = collect(b, 100).size();
  EXPECT_GT(b.receive_drops(), 0U);
  EXPECT_EQ(first + b.receive_drops(), 100U);
}

TEST_P(UdpSocketOf, TakesOneLargeOneAtATimeAndManySmallOnes) {
  UdpSocket a = open();
  UdpSocket b = open();
  ReceiveBatch batch;
  const auto taken_of = [&](std::size_t octets) {
    const std::vector<std::byte> body = numbered(octets);
    const std::array<Bytes, 1> pieces = {Bytes(body)};
    const std::vector<Transmit> messages(16, Transmit{b.local(), pieces, 0, Ecn::kNotEct});
    a.send(messages, kNoErrors);
    std::vector<std::size_t> taken;
    while (std::accumulate(taken.begin(), taken.end(), std::size_t{0}) < messages.size() && taken.size() < 100) {
      pollfd ready{b.fd(), POLLIN, 0};
      if (::poll(&ready, 1, 10'000) == 0) break;
      taken.push_back(b.receive(batch).value_or(0));
      for (const Received& received : batch.received()) {
        EXPECT_TRUE(std::equal(received.bytes.begin(), received.bytes.end(), body.begin(), body.end()));
      }
    }
    return taken;
  };
  EXPECT_THAT(taken_of(60'000), ElementsAre(16U)) << "nothing is known yet";
  EXPECT_EQ(taken_of(60'000), std::vector<std::size_t>(16, 1));
  EXPECT_THAT(taken_of(100), ElementsAre(1U, 15U));
  EXPECT_THAT(taken_of(0), ElementsAre(16U));
}

TEST_P(UdpSocketOf, SaysWhatCouldNotBeBound) {
  UdpSocket a = open();
  const SysResult<UdpSocket> again = UdpSocket::bind(a.local(), {});
  ASSERT_FALSE(again.has_value());
  EXPECT_EQ(again.error().to_string(), "bind " + a.local().to_string() + ": Address already in use");
  UdpOptions options;
  options.interface = "no-such-link";
  const SysResult<UdpSocket> bound = UdpSocket::bind({a.local().address, 0}, options);
  ASSERT_FALSE(bound.has_value());
  EXPECT_EQ(bound.error().to_string(), "bind to interface no-such-link: No such device");
}

INSTANTIATE_TEST_SUITE_P(Families, UdpSocketOf, ::testing::Values("127.0.0.1", "::1"));

// R-5.2.3.3-d, R-5.2.3.3-e, C-6936-4.5, C-6936-4.7, C-6936-5.4, X-6-a
TEST(UdpSocket, TakesOnlyDataWithoutChecksumOverIpv6) {
  const Endpoint loopback{*IpAddress::parse("::1"), 0};
  UdpSocket sender = UdpSocket::bind(loopback, {}).value();
  const auto send = [&](UdpSocket& to, std::uint8_t first, bool checksum) {
    const int none = checksum ? 0 : 1;
    ASSERT_EQ(::setsockopt(sender.fd(), IPPROTO_UDP, UDP_NO_CHECK6_TX, &none, sizeof none), 0);
    const std::array<std::byte, 3> octets{std::byte{first}, std::byte{0}, checksum ? std::byte{1} : std::byte{0}};
    const Bytes piece(octets);
    sender.send({{Transmit{.to = to.local(), .pieces = {&piece, 1}}}}, [](const SendFailure&) { ADD_FAILURE(); });
  };
  const auto arrived = [&](const UdpOptions& options, std::size_t wanted) {
    UdpSocket receiver = UdpSocket::bind(loopback, options).value();
    for (const std::uint8_t first : {std::uint8_t{4}, std::uint8_t{6}}) {
      for (const bool checksum : {false, true}) send(receiver, first, checksum);
    }
    std::vector<std::pair<int, int>> seen;
    // The last one that is sent is always taken: one too many would have come before it.
    for (const Arrived& one : collect(receiver, wanted)) {
      seen.emplace_back(std::to_integer<int>(one.bytes[0]), std::to_integer<int>(one.bytes[2]));
    }
    return seen;
  };
  UdpOptions gateway;
  gateway.first_octet_without_checksum = 6;
  EXPECT_THAT(arrived(gateway, 3), ElementsAre(std::pair(4, 1), std::pair(6, 0), std::pair(6, 1)));
  gateway.receive_offload = true;
  EXPECT_THAT(arrived(gateway, 3), ElementsAre(std::pair(4, 1), std::pair(6, 0), std::pair(6, 1)));
  EXPECT_THAT(arrived({}, 2), ElementsAre(std::pair(4, 1), std::pair(6, 1)));
}

TEST(UdpSocket, OfIpv6DoesNotTakeIpv4) {
  SysResult<UdpSocket> v6 = UdpSocket::bind({IpAddress{}, 0}, {});
  ASSERT_TRUE(v6.has_value());
  // The same port stays free for the other family.
  EXPECT_TRUE(UdpSocket::bind({IpAddress::unspecified(Family::kIpv4), v6->local().port}, {}).has_value());
}

}  // namespace
}  // namespace amt
