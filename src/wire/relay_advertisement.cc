#include "wire/header.hh"

namespace amt::wire {
namespace {

constexpr std::size_t kFixedOctets = 8;

}  // namespace

// RFC 7450 §5.1.2
// ```
//  0                   1                   2                   3
//  |  V=0  |Type=2 |                   Reserved                    |
//  |                        Discovery Nonce                        |
//  |            Relay Address (IPv4: 4 octets, IPv6: 16)           |
// ```
Result<RelayAdvertisement, ParseError> RelayAdvertisement::parse(Bytes message) {
  Result<ByteReader, ParseError> in = open_message(message, MessageType::kRelayAdvertisement, kFixedOctets);
  if (!in) return Unexpected<ParseError>(in.error());
  in->skip(3);
  const DiscoveryNonce nonce{in->u32()};
  // §5.1.2.5: the length gives the family. A message of another length is no Advertisement.
  const Bytes address = in->rest();
  if (address.size() != 4 && address.size() != 16) return Unexpected<ParseError>(ParseError::kBadLength);
  return RelayAdvertisement{.nonce = nonce, .relay = IpAddress::from_bytes(address)};
}

void RelayAdvertisement::write(ByteWriter& out) const {
  write_first_octet(out, MessageType::kRelayAdvertisement);
  out.zeros(3);
  out.u32(nonce.value);
  out.bytes(relay.bytes());
}

}  // namespace amt::wire
