#include "gateway/known_flow.hh"

#include <algorithm>

#include "wire/message.hh"

namespace amt {
namespace {

Bytes datagram_in(Bytes message) { return message.subspan(wire::kDataHeaderOctets); }

}  // namespace

void KnownFlow::learn(const Endpoint& from, Ecn outer_ecn, Bytes message, const DatagramView& datagram,
                      const FlowWatch::Flow& flow) {
  forget();
  // Surplus octets are no part of it: that is found out again each time.
  const std::optional<std::size_t> udp_at = plain_udp_at(datagram_in(message));
  if (!udp_at) return;
  flow_ = flow;
  from_ = from;
  outer_ecn_ = outer_ecn;
  octets_ = message.size();
  udp_at_ = *udp_at;
  std::copy_n(datagram.bytes.begin(), udp_at_ + kUdpHeaderOctets, headers_.begin());
  pseudo_header_ = {};
  pseudo_header_.add_pseudo_header(datagram.source, datagram.destination, kProtocolUdp,
                                   static_cast<std::uint32_t>(datagram.payload.size()));
}

bool KnownFlow::covers(const Endpoint& from, Ecn outer_ecn, Bytes message) const {
  return flow_ && message.size() == octets_ && outer_ecn == outer_ecn_ && from == from_ &&
         message[0] == wire::kDataHeader[0] && continues_udp_flow(headers_, datagram_in(message));
}

bool KnownFlow::has_right_header_checksum(Bytes message) const {
  return udp_at_ != kIpv4HeaderOctets || internet_checksum(datagram_in(message).first(kIpv4HeaderOctets)) == 0;
}

bool KnownFlow::has_right_udp_checksum(Bytes message) const {
  const Bytes datagram = datagram_in(message);
  // RFC 6935: none at all is right.
  if (udp_checksum_field(datagram, udp_at_) == 0) return true;
  InternetChecksum sum = pseudo_header_;
  sum.add(datagram.subspan(udp_at_));
  return sum.value() == 0;
}

}  // namespace amt
