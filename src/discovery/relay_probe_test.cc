#include "discovery/relay_probe.hh"

#include <gtest/gtest.h>

#include "membership/message.hh"

namespace amt {
namespace {

using std::chrono::milliseconds;

const IpAddress kAnycast = *IpAddress::parse("192.52.193.1");
const IpAddress kRelay = *IpAddress::parse("192.0.2.1");
const Endpoint kDiscoveryAt{kAnycast, kAmtPort};
const Endpoint kRelayAt{kRelay, kAmtPort};

template <typename Message>
std::vector<std::byte> octets_of(const Message& message) {
  std::vector<std::byte> buffer(1500);
  ByteWriter out(buffer);
  message.write(out);
  buffer.resize(out.written());
  return buffer;
}

std::vector<std::byte> general_query(Family family = Family::kIpv4) {
  GroupQuery query;
  query.version = family == Family::kIpv4 ? 3 : 2;
  query.group = IpAddress::unspecified(family);
  query.robustness = 2;
  return write_query(family == Family::kIpv4 ? IpAddress::unspecified(family) : *IpAddress::parse("fe80::1"), query);
}

class Probe : public testing::Test {
 protected:
  void start(bool request_directly) {
    RelayProbeOptions options;
    options.target = request_directly ? kRelayAt : kDiscoveryAt;
    options.request_directly = request_directly;
    probe.emplace(options, random, now);
  }
  wire::DiscoveryNonce expect_discovery() {
    const auto transmit = probe->poll_transmit();
    EXPECT_TRUE(transmit && transmit->to == kDiscoveryAt);
    const auto message = wire::RelayDiscovery::parse(transmit->datagram);
    EXPECT_TRUE(message);
    EXPECT_NE(message->nonce.value, 0U);
    return message->nonce;
  }
  wire::RequestNonce expect_request() {
    const auto transmit = probe->poll_transmit();
    EXPECT_TRUE(transmit && transmit->to == kRelayAt);
    const auto message = wire::Request::parse(transmit->datagram);
    EXPECT_TRUE(message);
    return message->nonce;
  }
  void advertise(wire::DiscoveryNonce nonce, const IpAddress& relay = kRelay, const Endpoint& from = kDiscoveryAt) {
    probe->handle_datagram(now, from, octets_of(wire::RelayAdvertisement{nonce, relay}));
  }
  void answer(wire::RequestNonce nonce, bool limit = false, const Endpoint& from = kRelayAt) {
    answer_with(general_query(), nonce, limit, from);
  }
  void answer_with(const std::vector<std::byte>& inner, wire::RequestNonce nonce, bool limit = false,
                   const Endpoint& from = kRelayAt) {
    wire::MembershipQuery query;
    query.nonce = nonce;
    query.limit = limit;
    query.gateway = wire::GatewayFields{{*IpAddress::parse("198.51.100.7"), 4711}};
    query.datagram = inner;
    probe->handle_datagram(now, from, octets_of(query));
  }
  void pass(Duration duration) {
    now += duration;
    probe->handle_timeout(now);
  }

  SeededRandom random{1};
  Instant now = Instant() + std::chrono::hours(1);
  std::optional<RelayProbe> probe;
};

TEST_F(Probe, AdvertisementBeforeRequest) {  // D-4.2.2-a
  start(false);
  const wire::DiscoveryNonce nonce = expect_discovery();
  EXPECT_FALSE(probe->poll_transmit());
  now += milliseconds(30);
  advertise(nonce);
  EXPECT_EQ(probe->discovery_time(), milliseconds(30));
  const wire::RequestNonce request = expect_request();
  now += milliseconds(20);
  answer(request);
  EXPECT_EQ(probe->state(), RelayProbe::State::kConnected);
  EXPECT_EQ(probe->request_time(), milliseconds(20));
  EXPECT_EQ(probe->relay(), kRelayAt);
  EXPECT_EQ(probe->seen_as(), (Endpoint{*IpAddress::parse("198.51.100.7"), 4711}));
  EXPECT_EQ(probe->next_deadline(), kNoDeadline);
}

TEST_F(Probe, RequestAtOnceWhereDiscoveryIsOptional) {  // D-4.2.2-b
  start(true);
  answer(expect_request());
  EXPECT_EQ(probe->state(), RelayProbe::State::kConnected);
  EXPECT_FALSE(probe->discovery_time());
}

TEST_F(Probe, QueryWithoutLimitIsAConnectionAnAdvertisementIsNone) {  // D-3.2.3-a
  start(false);
  advertise(expect_discovery());
  EXPECT_FALSE(probe->is_over());
  answer(expect_request(), true);
  EXPECT_EQ(probe->state(), RelayProbe::State::kLimited);
}

TEST_F(Probe, SendsNothingAfterTheAnswer) {  // D-3.2.3-b, D-3.2.1-b
  start(true);
  answer(expect_request());
  pass(std::chrono::minutes(5));
  EXPECT_FALSE(probe->poll_transmit());
}

TEST_F(Probe, RetransmitsWithTheSameNonceAndGivesUp) {
  start(false);
  const wire::DiscoveryNonce nonce = expect_discovery();
  pass(milliseconds(999));
  EXPECT_FALSE(probe->poll_transmit());
  pass(milliseconds(1));
  EXPECT_EQ(expect_discovery(), nonce);
  pass(std::chrono::seconds(1));
  EXPECT_EQ(expect_discovery(), nonce);
  pass(std::chrono::seconds(1));
  EXPECT_FALSE(probe->poll_transmit());
  EXPECT_EQ(probe->state(), RelayProbe::State::kNoDiscovery);
}

TEST_F(Probe, RelayThatDoesNotAnswerTheRequestIsNamed) {
  start(false);
  advertise(expect_discovery());
  for (int i = 0; i < 3; ++i) {
    expect_request();
    pass(std::chrono::seconds(1));
  }
  EXPECT_EQ(probe->state(), RelayProbe::State::kNoAnswer);
  EXPECT_EQ(probe->relay(), kRelayAt);
  EXPECT_TRUE(probe->discovery_time());
}

TEST_F(Probe, IgnoresForgeries) {
  start(false);
  const wire::DiscoveryNonce nonce = expect_discovery();
  advertise({nonce.value + 1});
  advertise(nonce, kRelay, kRelayAt);  // not from where it was asked
  EXPECT_EQ(probe->state(), RelayProbe::State::kDiscovering);
  advertise(nonce);
  const wire::RequestNonce request = expect_request();
  answer({request.value + 1});
  answer(request, false, kDiscoveryAt);
  answer_with(general_query(Family::kIpv6), request);
  answer_with({}, request);
  probe->handle_datagram(now, kRelayAt, {});
  EXPECT_EQ(probe->state(), RelayProbe::State::kRequesting);
  answer(request);
  EXPECT_EQ(probe->state(), RelayProbe::State::kConnected);
}

TEST_F(Probe, AddressThatNoRelayCanHaveEndsIt) {  // X-3.3-a
  for (const char* address : {"0.0.0.0", "224.0.0.1", "255.255.255.255", "127.0.0.1"}) {
    start(false);
    advertise(expect_discovery(), *IpAddress::parse(address));
    EXPECT_EQ(probe->state(), RelayProbe::State::kBadRelay) << address;
    EXPECT_FALSE(probe->poll_transmit());
  }
}

TEST_F(Probe, UnreachableIsNotedAndNotBelieved) {  // X-3.5-a
  start(true);
  const wire::RequestNonce request = expect_request();
  probe->handle_unreachable(kDiscoveryAt);
  EXPECT_FALSE(probe->was_unreachable());
  probe->handle_unreachable(kRelayAt);
  EXPECT_TRUE(probe->was_unreachable());
  answer(request);
  EXPECT_EQ(probe->state(), RelayProbe::State::kConnected);
}

}  // namespace
}  // namespace amt
