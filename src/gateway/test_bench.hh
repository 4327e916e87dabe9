#pragma once
/// For tests: one gateway in virtual time, and a relay's messages written by hand from computed vectors
/// section 2.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <string>
#include <utility>
#include <vector>

#include "base/test_bytes.hh"
#include "gateway/gateway.hh"

namespace amt::test {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Octets = std::vector<std::byte>;

inline Endpoint endpoint(std::string_view text) { return *Endpoint::parse(text, kAmtPort); }
inline IpAddress address(std::string_view text) { return *IpAddress::parse(text); }
inline SourceFilter include(std::initializer_list<std::string_view> sources) {
  SourceFilter filter;
  for (const std::string_view source : sources) filter.sources.push_back(address(source));
  std::sort(filter.sources.begin(), filter.sources.end());
  return filter;
}
inline SourceFilter exclude(std::initializer_list<std::string_view> sources) {
  SourceFilter filter = include(sources);
  filter.mode = FilterMode::kExclude;
  return filter;
}

inline const Endpoint kRelay = endpoint("192.0.2.9");
inline const Endpoint kOtherRelay = endpoint("192.0.2.10");
inline const Endpoint kAnycast = endpoint("192.52.193.1");
inline const Endpoint kSeenAs = endpoint("192.0.2.1:51000");

// AMT message types, octet 0.
inline constexpr std::uint8_t kDiscovery = 1;
inline constexpr std::uint8_t kRequest = 3;
inline constexpr std::uint8_t kUpdate = 5;
inline constexpr std::uint8_t kTeardown = 7;

/// One datagram that the gateway sent.
struct Sent {
  Instant at;
  Endpoint to;
  Octets octets;

  [[nodiscard]] std::uint8_t type() const { return std::to_integer<std::uint8_t>(octets.at(0)); }
  [[nodiscard]] std::uint8_t flags() const { return std::to_integer<std::uint8_t>(octets.at(1)); }
  [[nodiscard]] bool ecn() const { return (flags() & 0x02) != 0; }
  [[nodiscard]] bool is_mld_request() const { return type() == kRequest && (flags() & 0x81) != 0; }
  /// Discovery and Request: octet 4; Update and Teardown: octet 8.
  [[nodiscard]] Octets nonce() const {
    const std::ptrdiff_t at_octet = type() == kDiscovery || type() == kRequest ? 4 : 8;
    return {octets.begin() + at_octet, octets.begin() + at_octet + 4};
  }
  [[nodiscard]] Octets mac() const { return {octets.begin() + 2, octets.begin() + 8}; }
  /// From `octet` on.
  [[nodiscard]] Octets from(std::ptrdiff_t octet) const { return {octets.begin() + octet, octets.end()}; }
};

inline void put_u16(Octets& octets, std::size_t at, unsigned value) {
  octets.at(at) = static_cast<std::byte>(value >> 8);
  octets.at(at + 1) = static_cast<std::byte>(value & 0xff);
}

/// A Query as a relay writes it.
struct QueryText {
  Octets nonce = {};
  std::string_view mac = "a1a2a3a4a5a6";
  unsigned robustness = 2;
  unsigned qqic = 125;
  bool limit = false;
  std::optional<Endpoint> seen_as = std::nullopt;
  /// Its IPv4 address is written IPv4-mapped.
  bool mapped = false;
  /// Octets between the inner datagram and the gateway fields.
  std::string_view surplus = "";
  /// Instead of the right inner datagram.
  std::optional<Octets> inner = std::nullopt;

  [[nodiscard]] Octets with(Octets datagram, std::size_t checksum_at, unsigned checksum) const {
    // RFC 1624 for the one word that differs from the vector's 027d.
    unsigned sum = (~checksum & 0xffffU) + (~0x027dU & 0xffffU) + (robustness << 8 | qqic);
    while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
    put_u16(datagram, checksum_at, ~sum & 0xffff);
    put_u16(datagram, datagram.size() - 4, robustness << 8 | qqic);
    const unsigned flags = (limit ? 2U : 0U) | (seen_as ? 1U : 0U);
    Octets fields;
    if (seen_as) {
      fields.resize(18);
      put_u16(fields, 0, seen_as->port);
      const auto octets = seen_as->address.bytes();
      std::copy(octets.begin(), octets.end(), fields.end() - static_cast<std::ptrdiff_t>(octets.size()));
      if (mapped) fields[12] = fields[13] = std::byte{0xff};
    }
    return joined({{std::byte{4}, static_cast<std::byte>(flags)},
                   hex(mac),
                   nonce,
                   inner.value_or(datagram),
                   hex(surplus),
                   fields});
  }
  [[nodiscard]] Octets igmp() const {
    return with(hex("46c00024 00000000 01024413 00000000 e0000001 94040000 1101ec81 00000000 027d0000"), 26, 0xec81);
  }
  [[nodiscard]] Octets mld() const {
    return with(hex("60000000 00240001 fe800000 00000000 00000000 00000001 ff020000 00000000 00000000 00000001"
                    "3a000502 00000100 82007da5 00010000 00000000 00000000 00000000 00000000 027d0000"),
                50, 0x7da5);
  }
};

inline Octets advertisement(const Octets& nonce, std::string_view relay) {
  const IpAddress named = address(relay);
  return joined({hex("02000000"), nonce, Octets(named.bytes().begin(), named.bytes().end())});
}

/// IPv4 UDP datagram in a Multicast Data message: `source` and `group` as octets, four octets of payload.
inline Octets udp_data(std::string_view source, std::string_view group, unsigned ecn = 0) {
  Octets inner = hex("45000020 00010000 05110000 00000000 00000000 13881389 000c0000 74657374");
  inner[1] = static_cast<std::byte>(ecn);
  const IpAddress from = address(source);
  const IpAddress to = address(group);
  std::copy(from.bytes().begin(), from.bytes().end(), inner.begin() + 12);
  std::copy(to.bytes().begin(), to.bytes().end(), inner.begin() + 16);
  unsigned sum = 0;
  for (std::size_t i = 0; i < 20; i += 2) {
    sum += std::to_integer<unsigned>(inner[i]) << 8 | std::to_integer<unsigned>(inner[i + 1]);
  }
  while (sum > 0xffff) sum = (sum & 0xffff) + (sum >> 16);
  put_u16(inner, 10, ~sum & 0xffff);
  return joined({hex("0600"), inner});
}

/// A gateway that talks to whoever the test plays.
class Bench {
 public:
  explicit Bench(GatewayOptions options = with_relays({kRelay}))
      : random_(7), gateway(std::move(options), random_, now) {
    drain();
  }

  /// Does not ask for data that no test sends, and leaves no moment to chance.
  static GatewayOptions quiet() {
    GatewayOptions options;
    options.missing = Duration::zero();
    options.silence_span = Duration::zero();
    return options;
  }
  static GatewayOptions with_relays(std::initializer_list<Endpoint> relays) {
    GatewayOptions options = quiet();
    for (const Endpoint& relay : relays) options.candidates.push_back({RelayCandidate::Kind::kRelay, relay});
    return options;
  }
  static GatewayOptions with_discovery() {
    GatewayOptions options = quiet();
    options.candidates.push_back({RelayCandidate::Kind::kDiscovery, kAnycast});
    return options;
  }
  static GatewayOptions not_idle(GatewayOptions options = with_relays({kRelay})) {
    options.request_when_idle = false;
    return options;
  }

  /// Virtual time passes; everything that is due happens.
  void run_for(Duration duration) {
    const Instant end = now + duration;
    drain();
    for (int step = 0; deadline_ <= end; ++step) {
      ASSERT_LT(step, 10'000) << "a deadline that does not move";
      ASSERT_GE(deadline_, now) << "a deadline in the past";
      now = std::max(now, deadline_);
      gateway.handle_timeout(now);
      drain();
      ASSERT_GT(deadline_, now) << "a deadline that is due stays due";
    }
    now = end;
  }

  Result<void, GatewayReject> receive(const Octets& message, const Endpoint& from = kRelay) {
    auto result = gateway.handle_control(now, from, message);
    drain();
    return result;
  }
  Result<DataPacket, GatewayReject> data(Octets message, const Endpoint& from = kRelay, Ecn outer = Ecn::kNotEct) {
    data_ = std::move(message);
    auto result = gateway.accept_data(now, from, outer, data_);
    drain();
    return result;
  }
  bool set(std::string_view group, const SourceFilter& filter) {
    const bool done = gateway.set_membership(now, address(group), filter);
    drain();
    return done;
  }
  void shut_down() {
    gateway.shutdown(now);
    drain();
  }
  /// Answers the last IGMP Request.
  Result<void, GatewayReject> answer_igmp(QueryText query = {}, const Endpoint& from = kRelay) {
    query.nonce = last(kRequest).nonce();
    return receive(query.igmp(), from);
  }

  /// The datagrams of one type since the last `forget`.
  [[nodiscard]] std::vector<Sent> all(std::uint8_t type) const {
    std::vector<Sent> found;
    std::copy_if(sent.begin(), sent.end(), std::back_inserter(found), [&](const Sent& s) { return s.type() == type; });
    return found;
  }
  [[nodiscard]] Sent last(std::uint8_t type) const {
    const std::vector<Sent> found = all(type);
    AMT_ASSERT(!found.empty());
    return found.back();
  }
  [[nodiscard]] std::vector<Sent> requests(bool mld) const {
    std::vector<Sent> found;
    for (const Sent& request : all(kRequest)) {
      if (request.is_mld_request() == mld) found.push_back(request);
    }
    return found;
  }
  /// Whose data, each time it was told.
  [[nodiscard]] std::vector<std::optional<IpAddress>> told_of(GatewayEvent::Kind kind) const {
    std::vector<std::optional<IpAddress>> found;
    for (const GatewayEvent& event : events) {
      if (event.kind == kind) found.push_back(event.source);
    }
    return found;
  }
  [[nodiscard]] bool told(GatewayEvent::Kind kind) const {
    return std::any_of(events.begin(), events.end(), [&](const GatewayEvent& e) { return e.kind == kind; });
  }
  void forget() {
    sent.clear();
    events.clear();
  }
  [[nodiscard]] Instant deadline() const { return deadline_; }

  Instant now = Instant() + seconds(1000);
  std::vector<Sent> sent;
  std::vector<GatewayEvent> events;

 private:
  void drain() {
    for (;;) {
      GatewayOutput output = gateway.poll_output();
      if (auto* transmit = std::get_if<GatewayTransmit>(&output)) {
        sent.push_back({now, transmit->to, Octets(transmit->datagram.begin(), transmit->datagram.end())});
      } else if (const auto* event = std::get_if<GatewayEvent>(&output)) {
        events.push_back(*event);
      } else {
        deadline_ = std::get<GatewayDeadline>(output).at;
        return;
      }
    }
  }

  SeededRandom random_;
  Instant deadline_ = kNoDeadline;
  Octets data_;

 public:
  Gateway gateway;
};

/// How far apart consecutive datagrams are.
inline std::vector<Duration> gaps(const std::vector<Sent>& sent) {
  std::vector<Duration> found;
  for (std::size_t i = 1; i < sent.size(); ++i) found.push_back(sent[i].at - sent[i - 1].at);
  return found;
}

}  // namespace amt::test
