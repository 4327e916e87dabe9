#include "wire/header.hh"

namespace amt::wire {

// RFC 7450 §5.1.7
// ```
//  0                   1                   2                   3
//  |  V=0  |Type=7 |  Reserved     |         Response MAC          |
//  |                                                               |
//  |                         Request Nonce                         |
//  |     Gateway Port Number       |                               |
//  |                  Gateway IP Address, 16 octets                |
// ```
Result<Teardown, ParseError> Teardown::parse(Bytes message) {
  Result<ByteReader, ParseError> in = open_message(message, MessageType::kTeardown, kTeardownOctets);
  if (!in) return Unexpected<ParseError>(in.error());
  Teardown teardown;
  in->skip(1);
  teardown.mac.octets = in->array<6>();
  teardown.nonce = {in->u32()};
  teardown.gateway = GatewayFields::read(*in);
  return teardown;
}

void Teardown::write(ByteWriter& out) const {
  write_first_octet(out, MessageType::kTeardown);
  out.zeros(1);
  out.bytes(mac.octets);
  out.u32(nonce.value);
  gateway.write(out);
}

}  // namespace amt::wire
