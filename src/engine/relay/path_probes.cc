#include "engine/relay/path_probes.hh"

#include <algorithm>
#include <array>

#include "ip/datagram.hh"
#include "relay/response_mac.hh"

namespace amt {
namespace {

constexpr auto kProbeType = static_cast<std::uint8_t>(wire::MessageType::kMembershipQuery);
using Mac = decltype(wire::ResponseMac::octets);
constexpr std::array<std::byte, PathProbes::kOuterOctetsMax> kZeros{};
/// Between two probes to one gateway: small ones often enough to stand before every second packet of a video, large
/// ones for about half a megabit a second.
constexpr Duration kIntervalMin = std::chrono::milliseconds(2);
constexpr Duration kIntervalPerOctet = std::chrono::microseconds(15);

}  // namespace

PathProbes::PathProbes(Random& random) : random_(random) { random.fill(key_.octets()); }

std::uint32_t PathProbes::second_of(Instant now) const {
  return static_cast<std::uint32_t>(std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count());
}

wire::ResponseMac PathProbes::mac_of(const Endpoint& gateway, std::uint32_t second) const {
  return response_mac(key_, {.endpoint = gateway, .nonce = {second}});
}

void PathProbes::ask(Instant now, const Endpoint& gateway, std::size_t outer_octets) {
  if (outer_octets > kOuterOctetsMax) return;
  const auto known = std::ranges::find(asked_, gateway, &Asked::gateway);
  if (known != asked_.end()) {
    known->until = now + kAskFor;
    known->outer_octets = outer_octets;
    return;
  }
  const Asked one{gateway, outer_octets, now + kAskFor, now};
  if (asked_.size() < kAskedMax) {
    asked_.push_back(one);
  } else {
    asked_[random_.below(asked_.size())] = one;
  }
}

void PathProbes::settle(const Endpoint& gateway) {
  std::erase_if(asked_, [&](const Asked& asked) { return asked.gateway == gateway; });
}

void PathProbes::send_due(Instant now, const Send& send) {
  std::erase_if(asked_, [now](const Asked& asked) { return asked.until <= now; });
  constexpr Duration kPerOctet = Duration(std::chrono::seconds(1)) / kOctetsPerSecondMax;
  for (auto at = asked_.begin(); at != asked_.end(); ++at) {
    Asked& asked = *at;
    if (asked.next > now) continue;
    const std::size_t headers =
        (asked.gateway.address.is_v4() ? kIpv4HeaderOctets : kIpv6HeaderOctets) + kUdpHeaderOctets;
    const std::size_t outer_octets = std::max(asked.outer_octets, headers + wire::kQueryHeaderOctets);
    const auto octets = static_cast<Duration::rep>(outer_octets);
    if (!octets_.take(now, kPerOctet * octets)) {
      // Next time this one is the first.
      std::rotate(asked_.begin(), at, asked_.end());
      return;
    }
    asked.next = now + kIntervalMin + kIntervalPerOctet * octets;
    std::array<std::byte, wire::kQueryHeaderOctets> head{};
    const std::uint32_t second = second_of(now);
    ByteWriter writer(head);
    writer.u8(kProbeType);
    writer.zeros(1);
    writer.bytes(mac_of(asked.gateway, second).octets);
    writer.u32(second);
    const std::array<Bytes, 2> pieces = {head, Bytes(kZeros).first(outer_octets - headers - wire::kQueryHeaderOctets)};
    if (!send(asked.gateway, std::span(pieces).first(pieces[1].empty() ? 1 : 2))) asked.until = now;
  }
}

bool PathProbes::is_answer(Instant now, const SocketError& error) const {
  ByteReader quote(error.quote());
  if (!quote.has(wire::kQueryHeaderOctets) || quote.u8() != kProbeType) return false;
  quote.skip(1);
  const wire::ResponseMac mac{quote.array<std::tuple_size_v<Mac>>()};
  const std::uint32_t second = quote.u32();
  // Unsigned, so that one from the future is too old.
  const std::uint32_t age = second_of(now) - second;
  if (age > std::chrono::duration_cast<std::chrono::seconds>(kAnswerWithin).count()) return false;
  return equal_constant_time(mac, mac_of(error.to, second));
}

}  // namespace amt
