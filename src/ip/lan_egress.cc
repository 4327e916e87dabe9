#include "ip/lan_egress.hh"

#include <algorithm>

#include "ip/address.hh"
#include "ip/fragment.hh"

namespace amt {

std::span<const SplitDatagram> LanEgress::prepare(std::span<const Bytes> datagrams, std::size_t mtu_octets) {
  prepared_.clear();
  pieces_.clear();
  // Spans will point into both.
  if (heads_.size() < datagrams.size()) heads_.resize(datagrams.size());
  for (std::size_t i = 0; i < datagrams.size(); ++i) prepare_one(datagrams[i], heads_[i], mtu_octets);
  return prepared_;
}

void LanEgress::prepare_one(Bytes datagram, Head& storage, std::size_t mtu_octets) {
  const Result<DatagramAddresses, IpError> addresses = peek_addresses(datagram);
  if (!addresses || !is_forwardable_group(addresses->destination)) {
    ++drops_.link_scope;
    return;
  }
  const std::size_t octets = addresses->destination.is_v4() ? kIpv4HeaderOctets : kIpv6HeaderOctets;
  const MutableBytes head = MutableBytes(storage).first(octets);
  std::copy_n(datagram.begin(), octets, head.begin());
  if (lowers_hop_limit_ && !decrement_hop_limit(head)) {
    ++drops_.hop_limit;
    return;
  }
  if (datagram.size() <= mtu_octets) {
    prepared_.push_back({head, datagram.subspan(octets)});
    return;
  }
  std::vector<std::byte> whole(datagram.begin(), datagram.end());
  std::copy(head.begin(), head.end(), whole.begin());
  const Result<DatagramView, IpError> view = DatagramView::parse(whole);
  std::vector<std::vector<std::byte>> cut;
  if (view) cut = fragment_ipv4(*view, mtu_octets);
  if (cut.empty()) ++drops_.too_big;
  for (std::vector<std::byte>& piece : cut) {
    // The octets stay where they are when the vector that owns them is moved.
    prepared_.push_back({piece, {}});
    pieces_.push_back(std::move(piece));
  }
}

}  // namespace amt
