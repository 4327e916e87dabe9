#include "wire/header.hh"

namespace amt::wire {

// RFC 7450 §5.1.1
// ```
//  0                   1                   2                   3
//  |  V=0  |Type=1 |                   Reserved                    |
//  |                        Discovery Nonce                        |
// ```
Result<RelayDiscovery, ParseError> RelayDiscovery::parse(Bytes message) {
  Result<ByteReader, ParseError> in = open_message(message, MessageType::kRelayDiscovery, kDiscoveryOctets);
  if (!in) return Unexpected<ParseError>(in.error());
  in->skip(3);
  return RelayDiscovery{.nonce = {in->u32()}};
}

void RelayDiscovery::write(ByteWriter& out) const {
  write_first_octet(out, MessageType::kRelayDiscovery);
  out.zeros(3);
  out.u32(nonce.value);
}

}  // namespace amt::wire
