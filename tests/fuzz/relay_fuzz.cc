/// The relay: whatever arrives in whatever order, tunnels come from accepted Updates alone and stay within their limit,
/// the replication table says what the tunnels' states say, and upstream is told exactly what they add up to.
///
/// The first octet picks a starting state, the rest are operations.

#include <algorithm>
#include <array>
#include <cstdint>
#include <map>
#include <vector>

#include "allocations.hh"
#include "fuzz_target.hh"
#include "membership/handmade_datagrams.hh"
#include "relay/admission_recount.hh"
#include "relay/relay.hh"

namespace amt {
namespace {

using namespace relay_test;
using fuzz::next_bytes;
using fuzz::next_u16;
using fuzz::next_u8;

constexpr std::size_t kTunnelsMax = 4;
constexpr int kOperationsMax = 32;
/// A relay of four tunnels, three groups each, two sources each, holds no more, whatever is sent. Most of it is the
/// first chunk of each of its slabs.
constexpr std::size_t kRelayOctetsMax = 56 * 1024;
const LocalAddress kLocal{{ip("192.0.2.100"), kAmtPort}};

const std::vector<TunnelEndpoint> kEndpoints{
    {{ip("192.0.2.1"), 1}},   {{ip("192.0.2.1"), 2}},   {{ip("192.0.2.2"), 1}}, {{ip("192.0.2.3"), 1}},
    {{ip("2001:db8::1"), 1}}, {{ip("2001:db8::1"), 2}}, {{ip("::1"), 1}},
};
const std::vector<IpAddress> kGroups{ip("239.1.1.1"),    ip("232.1.1.1"), ip("ff0e::1"),
                                     ip("ff3e::8000:1"), ip("224.0.0.9"), ip("ff02::1")};
/// The others are of link scope.
constexpr std::size_t kForwardableGroups = 4;
const std::vector<IpAddress> kSources4{ip("198.51.100.1"), ip("198.51.100.2"), ip("198.51.100.3")};
const std::vector<IpAddress> kSources6{ip("2001:db8:9::1"), ip("2001:db8:9::2"), ip("2001:db8:9::3")};

template <typename T>
const T& pick(const std::vector<T>& from, unsigned number) {
  return from[number % from.size()];
}
const std::vector<IpAddress>& sources_of(const IpAddress& group) { return group.is_v4() ? kSources4 : kSources6; }
/// Sources that nobody names.
const IpAddress kOther4 = ip("203.0.113.9");
const IpAddress kOther6 = ip("2001:db8:8::1");
const IpAddress kAllRouters4 = ip("224.0.0.2");
const IpAddress kAllRouters6 = ip("ff02::2");

class Harness {
 public:
  /// The high bit of `state` turns rate limits and the recognition of gateways on, the next one narrow limits.
  explicit Harness(std::uint8_t state)
      : options_(options((state & 0x80) != 0, (state & 0x40) != 0)), relay_(with_shared(options_), random_, now_) {
    poll();
    start(state & 0x3fU);
  }

  void operate(ByteReader& in) {
    const std::uint8_t operation = next_u8(in);
    const TunnelEndpoint& from = pick(kEndpoints, next_u8(in));
    switch (operation % 10) {
      case 0:
        send(from, next_bytes(in, next_u8(in)));
        break;
      case 1:
        send_update(from, next_bytes(in, next_u8(in)));
        break;
      case 2:
      case 3:
        send_update(from, random_report(in));
        break;
      case 4:
        send(from, teardown(ask(from, next_u8(in)), pick(kEndpoints, next_u8(in))));
        break;
      case 5:
        send(from, next_u8(in) % 2 == 0 ? discovery(next_u16(in)) : request(next_u16(in), next_u8(in)));
        break;
      case 6:
        now_ += std::chrono::milliseconds(100 * next_u16(in));
        relay_.handle_timeout(now_);
        break;
      case 7:
        // A late engine: time has passed, nobody said so.
        now_ += std::chrono::minutes(next_u8(in));
        break;
      case 8:
        relay_.handle_unreachable(now_, from, next_u8(in) % 2 == 0);
        break;
      case 9:
        send_older(from, in);
        break;
    }
    poll();
    // All groups after every step would take most of the time.
    check(kGroups[++steps_ % kForwardableGroups]);
  }

  void finish() {
    relay_.handle_timeout(now_);
    poll();
    for (std::size_t i = 0; i < kForwardableGroups; ++i) check(kGroups[i]);
    relay_.shutdown(now_);
    poll();
    AMT_ASSERT(relay_.tunnel_count() == 0);
    AMT_ASSERT(options_.shared->admission.totals() == Admission::Totals{});
    for (const auto& [group, filter] : upstream_) AMT_ASSERT(filter.is_nothing());
  }

 private:
  void start(unsigned state) {
    const TunnelEndpoint& first = kEndpoints.front();
    switch (state % 6) {
      case 0:
        break;
      case 1:
        send_update(first, report({{kAllow, kGroups[1], {kSources4[0]}}}));
        break;
      case 2:
        send_update(first, report({{kIsEx, kGroups[0], {kSources4[0]}}}));
        break;
      case 3:
        for (std::size_t i = 0; i < kTunnelsMax; ++i) send_update(kEndpoints[i], report({{kIsEx, kGroups[0], {}}}));
        break;
      case 4:
        send_update(first, report({{kIsEx, kGroups[2], {}}}));
        send_update(first, report({{kAllow, kGroups[1], {kSources4[0]}}}));
        break;
      case 5:
        send_update(first, igmp_short("16", kGroups[0], kGroups[0]));
        break;
    }
  }

  RelayOptions& with_shared(RelayOptions& options) {
    options.shared = std::make_shared<RelayShared>(options, random_, now_);
    return options;
  }
  static RelayOptions options(bool recognise, bool narrow) {
    RelayOptions out;
    out.advertise_v4 = kLocal.address;
    out.limits.tunnels_max = kTunnelsMax;
    out.limits.tunnels_per_address_max = 2;
    out.groups_per_tunnel_max = 3;
    out.sources_per_group_max = 2;
    if (narrow) {
      out.limits.channels_max = 3;
      out.limits.channels_per_address_max = 4;
      out.allowed_groups = {{kGroups[1], 32}, {kGroups[0], 4}, {kGroups[2], 16}};
    }
    // Small, so that they run over; and quick to build, for there is one per input.
    out.contacts_max = 4;
    out.limited_prefixes_max = 4;
    out.answers.sources_max = 4;
    out.answers.queries_per_address_max = recognise ? 1000 : 0;
    out.answers.advertisements_per_address_max = recognise ? 1 : 0;
    out.gateway_fields = recognise ? GatewayFieldsPolicy::kAuto : GatewayFieldsPolicy::kAlways;
    return out;
  }

  void send(const TunnelEndpoint& from, Bytes datagram) {
    const bool accepted = relay_.handle_datagram(now_, from, kLocal, datagram).has_value();
    const bool answered = poll();
    AMT_ASSERT(accepted || !answered);
  }
  Grant ask(const TunnelEndpoint& from, std::uint32_t nonce) {
    answer_.resize(8);
    send(from, request(nonce));
    return {Octets(answer_.begin() + 2, answer_.begin() + 8), nonce};
  }
  void send_update(const TunnelEndpoint& from, Bytes inner) { send(from, update(ask(from, 0x55667788), inner)); }

  static Octets random_report(ByteReader& in) {
    std::vector<Record> records(1 + next_u8(in) % 4U);
    const IpAddress& first = pick(kGroups, next_u8(in));
    for (Record& record : records) {
      record.type = next_u8(in) % 8;
      do {
        record.group = pick(kGroups, next_u8(in));
      } while (record.group.family() != first.family() && in.has(1));
      if (record.group.family() != first.family()) record.group = first;
      const unsigned which = next_u8(in);
      for (unsigned i = 0; i < 3; ++i) {
        if ((which >> i & 1) != 0) record.sources.push_back(sources_of(first)[i]);
      }
    }
    return report(records);
  }

  void send_older(const TunnelEndpoint& from, ByteReader& in) {
    const IpAddress& group = pick(kGroups, next_u8(in));
    const bool leave = next_u8(in) % 2 != 0;
    if (group.is_v4()) {
      send_update(from, leave ? igmp_short("17", group, kAllRouters4) : igmp_short("16", group, group));
    } else {
      send_update(from, leave ? mld_short("84", group, kAllRouters6) : mld_short("83", group, group));
    }
  }

  /// The one second answer that a Request may have: the IGMP Query that a gateway shows it could not read because of
  /// the gateway fields, once more without them; for the nonce and with the MAC of the first answer.
  [[nodiscard]] bool repeats_without_fields(Bytes datagram) const {
    const auto again = wire::MembershipQuery::parse(datagram);
    const auto first = wire::MembershipQuery::parse(answer_);
    return again && first && !again->gateway && again->mac == first->mac && again->nonce == first->nonce &&
           peek_addresses(again->datagram)->destination.is_v4() &&
           !peek_addresses(first->datagram)->destination.is_v4();
  }

  /// True when there was an answer.
  bool poll() {
    bool answered = false;
    for (;;) {
      RelayOutput output = relay_.poll_output();
      if (std::holds_alternative<Deadline>(output)) break;
      if (const auto* transmit = std::get_if<RelayTransmit>(&output)) {
        AMT_ASSERT(!answered || repeats_without_fields(transmit->datagram));
        answered = true;
        answer_.assign(transmit->datagram.begin(), transmit->datagram.end());
      }
    }
    while (const auto change = relay_.poll_upstream()) {
      AMT_ASSERT(upstream_[change->group] == change->before && change->before != change->after);
      upstream_[change->group] = change->after;
    }
    return answered;
  }

  void check(const IpAddress& group) {
    const Counters<RelayCounter>& counters = relay_.counters();
    AMT_ASSERT(relay_.tunnel_count() <= kTunnelsMax);
    AMT_ASSERT(counters[RelayCounter::kTunnelsCreated] <= counters[RelayCounter::kUpdatesAccepted]);
    AMT_ASSERT(counters[RelayCounter::kTunnelsCreated] ==
               relay_.tunnel_count() + counters[RelayCounter::kTunnelsLeft] + counters[RelayCounter::kTunnelsTornDown] +
                   counters[RelayCounter::kTunnelsExpired] + counters[RelayCounter::kTunnelsUnreachable]);
    std::size_t channels = 0;
    relay_.for_each_channel([&](const Relay::ChannelStatus& status) {
      AMT_ASSERT(status.tunnels > 0 && status.tunnels <= relay_.tunnel_count());
      ++channels;
    });
    AMT_ASSERT((channels == 0) == (relay_.tunnel_count() == 0));
    const Relay* const relay = &relay_;
    AMT_ASSERT(agrees_with_recount(options_.shared->admission, {&relay, 1}));
    AMT_ASSERT(channels <= options_.limits.channels_max);
    check_group(group);
    AMT_ASSERT(memory_.held() <= kRelayOctetsMax);
  }

  /// The table against the tunnels' own states, and upstream against their sum.
  void check_group(const IpAddress& group) {
    wants_.clear();
    relay_.for_each_tunnel([&](const RelayTunnel& tunnel, const RouterState& router, Instant) {
      AMT_ASSERT(!router.empty());
      wants_.push_back({&tunnel, router.filter(group)});
    });
    const auto upstream = upstream_.find(group);
    const SourceFilter& told = upstream == upstream_.end() ? kNothing : upstream->second;
    for (const IpAddress& source : sources_of(group)) check_channel(source, group, told);
    check_channel(group.is_v4() ? kOther4 : kOther6, group, told);
  }
  void check_channel(const IpAddress& source, const IpAddress& group, const SourceFilter& told) {
    std::array<int, kTunnelsMax> copies{};
    relay_.targets(source, group).for_each([&](TunnelId id) {
      const auto at = std::ranges::find(wants_, &relay_.tunnel(id), &Want::tunnel);
      AMT_ASSERT(at != wants_.end());
      ++copies[static_cast<std::size_t>(at - wants_.begin())];
    });
    bool wanted = false;
    for (std::size_t i = 0; i < wants_.size(); ++i) {
      const bool accepts = wants_[i].filter.accepts(source);
      AMT_ASSERT(copies[i] == (accepts ? 1 : 0));
      wanted = wanted || accepts;
    }
    AMT_ASSERT(told.accepts(source) == wanted);
  }

  struct Want {
    const RelayTunnel* tunnel;
    SourceFilter filter;
  };
  inline static const SourceFilter kNothing;

  /// First: it counts from before the relay is there, and what the harness itself holds, too.
  fuzz::Allocations memory_;
  SeededRandom random_{1};
  Instant now_{std::chrono::hours(1)};
  RelayOptions options_;
  Relay relay_;
  Octets answer_;
  std::map<IpAddress, SourceFilter> upstream_;
  /// Of the group at hand, tunnel by tunnel.
  std::vector<Want> wants_;
  std::size_t steps_ = 0;
};

}  // namespace
}  // namespace amt

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  amt::ByteReader in(amt::fuzz::input(data, size));
  amt::Harness harness(amt::fuzz::next_u8(in));
  for (int i = 0; i < amt::kOperationsMax && in.has(1); ++i) harness.operate(in);
  harness.finish();
  return 0;
}
