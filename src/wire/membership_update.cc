#include "wire/header.hh"

namespace amt::wire {

// RFC 7450 §5.1.5
// ```
//  0                   1                   2                   3
//  |  V=0  |Type=5 |  Reserved     |         Response MAC          |
//  |                                                               |
//  |                         Request Nonce                         |
//  |         Encapsulated Group Membership Update Message          |
// ```
Result<MembershipUpdate, ParseError> MembershipUpdate::parse(Bytes message) {
  Result<ByteReader, ParseError> in = open_message(message, MessageType::kMembershipUpdate, kUpdateHeaderOctets);
  if (!in) return Unexpected<ParseError>(in.error());
  MembershipUpdate update;
  in->skip(1);
  update.mac.octets = in->array<6>();
  update.nonce = {in->u32()};
  update.datagram = in->rest();
  return update;
}

void MembershipUpdate::write(ByteWriter& out) const {
  write_first_octet(out, MessageType::kMembershipUpdate);
  out.zeros(1);
  out.bytes(mac.octets);
  out.u32(nonce.value);
  out.bytes(datagram);
}

}  // namespace amt::wire
