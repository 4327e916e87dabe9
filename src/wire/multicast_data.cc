#include "wire/header.hh"

namespace amt::wire {

// RFC 7450 §5.1.6
// ```
//  0                   1                   2                   3
//  |  V=0  |Type=6 |    Reserved   |                               |
//  |                     IP Multicast Packet                       |
// ```
Result<MulticastData, ParseError> MulticastData::parse(Bytes message) {
  Result<ByteReader, ParseError> in = open_message(message, MessageType::kMulticastData, kDataHeaderOctets);
  if (!in) return Unexpected<ParseError>(in.error());
  in->skip(1);
  return MulticastData{.datagram = in->rest()};
}

}  // namespace amt::wire
