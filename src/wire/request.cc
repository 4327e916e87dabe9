#include "wire/header.hh"

namespace amt::wire {
namespace {

constexpr std::uint8_t kFlagP = 0x01;
constexpr std::uint8_t kFlagE = 0x02;
constexpr std::uint8_t kFlagPMirrored = 0x80;

}  // namespace

// RFC 7450 §5.1.3, RFC 9601 §6.1.4.2
// ```
//  0                   1                   2                   3
//  |  V=0  |Type=3 |  Reserved |E|P|            Reserved           |
//  |                         Request Nonce                         |
// ```
Result<Request, ParseError> Request::parse(Bytes message) {
  Result<ByteReader, ParseError> in = open_message(message, MessageType::kRequest, kRequestOctets);
  if (!in) return Unexpected<ParseError>(in.error());
  Request request;
  const std::uint8_t flags = in->u8();
  // Linux's drivers/net/amt.c declares the flags in the wrong bit order; its MLD Requests carry P as 0x80, a reserved
  // bit. E stands at 0x02 alone: that driver has none, and its mirrored place is no sign of anything.
  request.mirrored_flags = (flags & kFlagP) == 0 && (flags & kFlagPMirrored) != 0;
  request.protocol = (flags & (kFlagP | kFlagPMirrored)) != 0 ? Protocol::kMld : Protocol::kIgmp;
  request.ecn_capable = (flags & kFlagE) != 0;
  in->skip(2);
  request.nonce = {in->u32()};
  return request;
}

void Request::write(ByteWriter& out) const {
  std::uint8_t flags = 0;
  if (protocol == Protocol::kMld) flags = mirrored_flags ? kFlagPMirrored : kFlagP;
  if (ecn_capable) flags |= kFlagE;
  write_first_octet(out, MessageType::kRequest);
  out.u8(flags);
  out.zeros(2);
  out.u32(nonce.value);
}

}  // namespace amt::wire
