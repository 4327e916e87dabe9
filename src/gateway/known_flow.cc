#include "gateway/known_flow.hh"

#include <algorithm>
#include <bit>
#include <cstring>
#include <utility>

#include "wire/message.hh"

namespace amt {
namespace {

bool is_v4(Bytes datagram) { return (datagram[0] & std::byte{0xf0}) == std::byte{0x40}; }

template <typename Word>
Word word_at(Bytes octets, std::size_t at) {
  Word word = 0;
  std::memcpy(&word, octets.data() + at, sizeof word);
  return word;
}

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
  packet_ = data_packet(datagram);
}

DataPacket KnownFlow::packet(Bytes message) const {
  DataPacket packet = packet_;
  packet.datagram = datagram_in(message);
  packet.payload = packet.datagram.subspan(udp_at_ + kUdpHeaderOctets);
  return packet;
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

void KnownFlows::make_room(std::size_t flows) {
  // Twice as many sets as flows: three hardly ever meet in one.
  const std::size_t sets = std::bit_ceil(std::clamp(2 * flows, std::size_t{1}, kSetsMax));
  if (sets > sets_.size()) sets_.assign(sets, Set());
}

bool KnownFlows::is_long_enough(Bytes message) {
  constexpr std::size_t kShortest = wire::kDataHeaderOctets + kIpv4HeaderOctets + kUdpHeaderOctets;
  if (message.size() < kShortest) return false;
  return message.size() >= wire::kDataHeaderOctets + kPlainUdpOctetsMax || is_v4(datagram_in(message));
}

std::size_t KnownFlows::set_of(Bytes message) const {
  constexpr std::uint64_t kMix = 0x9e3779b97f4a7c15;  // 2^64 by the golden ratio
  constexpr std::size_t kIpv4AddressesAt = 12;
  constexpr std::size_t kIpv6SourceLowAt = 16;
  constexpr std::size_t kIpv6DestinationLowAt = 32;
  const Bytes datagram = datagram_in(message);
  const bool v4 = is_v4(datagram);
  const std::uint64_t addresses = v4 ? word_at<std::uint64_t>(datagram, kIpv4AddressesAt)
                                     : word_at<std::uint64_t>(datagram, kIpv6SourceLowAt) * kMix ^
                                           word_at<std::uint64_t>(datagram, kIpv6DestinationLowAt);
  const std::uint64_t ports = word_at<std::uint32_t>(datagram, v4 ? kIpv4HeaderOctets : kIpv6HeaderOctets);
  return ((addresses * kMix ^ ports) * kMix) >> 32 & (sets_.size() - 1);
}

const KnownFlow* KnownFlows::find(const Endpoint& from, Ecn outer_ecn, Bytes message) const {
  if (!is_long_enough(message)) return nullptr;
  const Set& set = sets_[set_of(message)];
  if (set.generation != generation_) return nullptr;
  for (const KnownFlow& flow : set.flows) {
    if (flow.covers(from, outer_ecn, message)) return &flow;
  }
  return nullptr;
}

void KnownFlows::learn(const Endpoint& from, Ecn outer_ecn, Bytes message, const DatagramView& datagram,
                       const FlowWatch::Flow& flow) {
  if (!is_long_enough(message)) return;
  Set& set = sets_[set_of(message)];
  if (std::exchange(set.generation, generation_) != generation_) {
    for (KnownFlow& old : set.flows) old.forget();
  }
  std::swap(set.flows[0], set.flows[1]);
  set.flows[0].learn(from, outer_ecn, message, datagram, flow);
}

void KnownFlows::forget() { ++generation_; }

}  // namespace amt
