/// The AMT messages: any octets are parsed without harm, and what was parsed is written and parsed to the same.

#include <algorithm>
#include <optional>
#include <vector>

#include "allocations.hh"
#include "fuzz_target.hh"
#include "wire/message.hh"

namespace amt::wire {
namespace {

/// Messages are parsed where they stand.
constexpr fuzz::ParserBound kParseBound{0, 0};

bool same(Bytes a, Bytes b) { return std::equal(a.begin(), a.end(), b.begin(), b.end()); }

bool same(const RelayDiscovery& a, const RelayDiscovery& b) { return a.nonce == b.nonce; }
bool same(const RelayAdvertisement& a, const RelayAdvertisement& b) { return a.nonce == b.nonce && a.relay == b.relay; }
bool same(const Request& a, const Request& b) {
  return a.nonce == b.nonce && a.protocol == b.protocol && a.ecn_capable == b.ecn_capable &&
         a.mirrored_flags == b.mirrored_flags;
}
bool same(const GatewayFields& a, const GatewayFields& b) {
  return a.endpoint == b.endpoint && a.ipv4_mapped == b.ipv4_mapped;
}
bool same(const MembershipQuery& a, const MembershipQuery& b) {
  if (a.gateway.has_value() != b.gateway.has_value() || (a.gateway && !same(*a.gateway, *b.gateway))) return false;
  return equal_constant_time(a.mac, b.mac) && a.nonce == b.nonce && a.limit == b.limit && same(a.datagram, b.datagram);
}
bool same(const MembershipUpdate& a, const MembershipUpdate& b) {
  return equal_constant_time(a.mac, b.mac) && a.nonce == b.nonce && same(a.datagram, b.datagram);
}
bool same(const Teardown& a, const Teardown& b) {
  return equal_constant_time(a.mac, b.mac) && a.nonce == b.nonce && same(a.gateway, b.gateway);
}

template <typename Message>
bool round_trip(Bytes octets) {
  const Result<Message, ParseError> parsed =
      fuzz::within(kParseBound, octets.size(), [&] { return Message::parse(octets); });
  if (!parsed) return false;
  // No message grows by being written.
  std::vector<std::byte> buffer(octets.size());
  ByteWriter out(buffer);
  parsed->write(out);
  const Result<Message, ParseError> again = Message::parse(out.output());
  AMT_ASSERT(again && same(*parsed, *again));
  return true;
}

void check(Bytes octets) {
  const Result<MessageType, ParseError> type = peek_type(octets);
  const bool data = MulticastData::parse(octets).has_value();
  // In the order of their types.
  const std::array<bool, 7> parsed{round_trip<RelayDiscovery>(octets),   round_trip<RelayAdvertisement>(octets),
                                   round_trip<Request>(octets),          round_trip<MembershipQuery>(octets),
                                   round_trip<MembershipUpdate>(octets), data,
                                   round_trip<Teardown>(octets)};
  for (std::size_t i = 0; i < parsed.size(); ++i) {
    AMT_ASSERT(!parsed[i] || (type && static_cast<std::size_t>(*type) == i + 1));
  }
}

}  // namespace
}  // namespace amt::wire

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  amt::wire::check(amt::fuzz::input(data, size));
  return 0;
}
