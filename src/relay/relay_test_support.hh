#pragma once
/// A relay with everything that comes out of it, fed with handmade datagrams.

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.hh"
#include "membership/handmade_datagrams.hh"
#include "relay/relay.hh"

namespace amt::relay_test {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

/// A relay, the time, and what came out of the last input.
class World {
 public:
  static RelayOptions options() {
    RelayOptions out;
    out.advertise_v4 = ip("192.0.2.100");
    out.advertise_v6 = ip("2001:db8::100");
    out.answers = {0, 0, 0, 0};
    out.updates_per_second_max = 0;
    out.gateway_fields = GatewayFieldsPolicy::kAlways;
    return out;
  }

  explicit World(const RelayOptions& relay_options = options()) : World(relay_options, nullptr) {}
  /// `shared_with`: another worker's.
  World(const RelayOptions& relay_options, std::shared_ptr<RelayShared> shared_with)
      : shared(shared_with ? shared_with : std::make_shared<RelayShared>(relay_options, random, now)),
        relay(with_shared(relay_options, shared), random, now) {
    poll();
  }

  /// "" when accepted, else the reason.
  std::string send(const TunnelEndpoint& from, Bytes datagram, const LocalAddress& to = local("192.0.2.100")) {
    const auto result = relay.handle_datagram(now, from, to, datagram);
    poll();
    return result ? "" : std::string(to_string(result.error()));
  }

  /// Lets time pass, with a timeout at each deadline.
  void pass(Duration duration) {
    const Instant end = now + duration;
    while (deadline <= end) {
      now = std::max(now, deadline);
      handle_timeout();
    }
    now = end;
  }

  void handle_timeout() {
    relay.handle_timeout(now);
    poll();
  }

  /// A Request and its Query.
  Grant ask(const TunnelEndpoint& from, std::uint32_t nonce = 0x55667788, unsigned flags = 0) {
    EXPECT_EQ(send(from, request(nonce, flags)), "");
    EXPECT_EQ(transmits.size(), 1U);
    if (transmits.empty()) return {};
    const ControlDatagram& query = transmits.front().datagram;
    return {Octets(query.begin() + 2, query.begin() + 8), nonce};
  }
  /// A Request and an Update with one record.
  Grant join(const TunnelEndpoint& from, const Record& record, std::uint32_t nonce = 0x55667788, unsigned flags = 0) {
    const Grant grant = ask(from, nonce, flags);
    EXPECT_EQ(send(from, update(grant, report({record}))), "");
    return grant;
  }

  /// Ports of the tunnels that a packet goes to.
  std::vector<unsigned> ports(std::string_view source, std::string_view group) {
    std::vector<unsigned> out;
    relay.targets(ip(source), ip(group)).for_each([&](TunnelId id) { out.push_back(relay.tunnel(id).endpoint.port); });
    return out;
  }

  std::uint64_t count(RelayCounter counter) const { return relay.counters()[counter]; }
  std::uint64_t count(RelayReject reject) const { return relay.rejects()[reject]; }

  Instant now{hours(1)};
  SeededRandom random{20150213};
  std::shared_ptr<RelayShared> shared;
  Relay relay;
  Instant deadline{};
  /// Of the last input.
  std::vector<RelayTransmit> transmits;
  std::vector<std::string> upstream;
  /// `reason prefix count`
  std::vector<std::string> refusals;

 private:
  static RelayOptions with_shared(RelayOptions options, const std::shared_ptr<RelayShared>& shared) {
    options.shared = shared;
    return options;
  }
  void poll() {
    transmits.clear();
    upstream.clear();
    refusals.clear();
    for (;;) {
      RelayOutput output = relay.poll_output();
      if (const auto* at = std::get_if<Deadline>(&output)) {
        deadline = at->at;
        break;
      }
      if (auto* transmit = std::get_if<RelayTransmit>(&output)) {
        transmits.push_back(*transmit);
      } else {
        const RefusalReport& report = std::get<RelayRefusal>(output).report;
        refusals.push_back(std::string(to_string(report.reason)) + " " + report.whose.to_string() + " " +
                           std::to_string(report.count));
      }
    }
    while (const auto change = relay.poll_upstream()) {
      upstream.push_back(change->group.to_string() + " " + change->after.to_string());
    }
  }
};

}  // namespace amt::relay_test
