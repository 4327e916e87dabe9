#include "wire/header.hh"

namespace amt::wire {
namespace {

constexpr std::uint8_t kFlagG = 0x01;
constexpr std::uint8_t kFlagL = 0x02;

}  // namespace

// RFC 7450 §5.1.4
// ```
//  0                   1                   2                   3
//  |  V=0  |Type=4 | Reserved  |L|G|         Response MAC          |
//  |                                                               |
//  |                         Request Nonce                         |
//  |               Encapsulated General Query Message              |
//  |     Gateway Port Number       |                               |
//  |                  Gateway IP Address, 16 octets                |
// ```
Result<MembershipQuery, ParseError> MembershipQuery::parse(Bytes message) {
  Result<ByteReader, ParseError> in = open_message(message, MessageType::kMembershipQuery, kQueryHeaderOctets);
  if (!in) return Unexpected<ParseError>(in.error());
  MembershipQuery query;
  const std::uint8_t flags = in->u8();
  query.limit = (flags & kFlagL) != 0;
  query.mac.octets = in->array<6>();
  query.nonce = {in->u32()};
  query.datagram = in->rest();
  if ((flags & kFlagG) != 0) {
    // §5.1.4.9: the fields are the last 18 octets of the message, wherever the IP datagram ends (R-5.1.4-b).
    if (query.datagram.size() < kGatewayFieldsOctets) return Unexpected<ParseError>(ParseError::kBadLength);
    ByteReader fields(query.datagram.last(kGatewayFieldsOctets));
    query.gateway = GatewayFields::read(fields);
    query.datagram = query.datagram.first(query.datagram.size() - kGatewayFieldsOctets);
  }
  return query;
}

void MembershipQuery::write(ByteWriter& out) const {
  std::uint8_t flags = 0;
  if (gateway) flags |= kFlagG;
  if (limit) flags |= kFlagL;
  write_first_octet(out, MessageType::kMembershipQuery);
  out.u8(flags);
  out.bytes(mac.octets);
  out.u32(nonce.value);
  out.bytes(datagram);
  if (gateway) gateway->write(out);
}

}  // namespace amt::wire
