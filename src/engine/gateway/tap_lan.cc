#include <algorithm>
#include <array>
#include <cerrno>
#include <vector>

#include "engine/gateway/lan_link.hh"
#include "ip/datagram.hh"
#include "ip/ethernet.hh"
#include "sys/bridge_port.hh"
#include "sys/netlink.hh"
#include "sys/stable_mac.hh"

namespace amt {
namespace {

/// Where IGMP queries come from. The interface has no address of its own, and an address of this host would make its
/// kernel refuse them. 0.0.0.0, as RFC 4541 §2.1.1 has snooping switches send them, will not do: neither that RFC nor
/// the Linux bridge takes the port they come by for a router's, so reports would not get here. RFC 7600 §4.8 reserves
/// this one for a node without an IPv4 address.
constexpr const char* kDummyAddress = "192.0.0.8";

/// Where MLD queries come from: the last 32 bits of the MAC address, behind zeros. Lower than an address made of a
/// whole MAC address, such as a bridge's that is a querier itself: RFC 3810 §7.6.2 has the lower one win, and a bridge
/// sends reports only where queries come from.
IpAddress querier_address(const MacAddress& mac) {
  std::array<std::byte, 16> octets = {std::byte{0xfe}, std::byte{0x80}};
  std::copy(mac.end() - 4, mac.end(), octets.end() - 4);
  return IpAddress::from_v6(octets);
}

class TapLan final : public LanLink {
 public:
  explicit TapLan(TunDevice device)
      : tap_(std::move(device)), mac_(stable_mac(tap_.name())), link_local_(querier_address(mac_)) {}

  const std::string& interface() const override { return tap_.name(); }
  const char* kind() const override { return "tap"; }
  bool is_routed() const override { return false; }

  // An interface that is gone stays gone; receive() reports it.
  SysResult<void> open() override { return {}; }
  void close() override {}
  bool is_open() const override { return true; }
  int fd() const override { return tap_.fd(); }
  NamedDescriptor::Kind descriptor_kind() const override { return NamedDescriptor::Kind::kTun; }

  SysResult<State> state() override;
  SysResult<std::span<const Bytes>> receive() override;
  Taken send(std::span<const SplitDatagram> datagrams) override { return tap_.send_frames(mac_, datagrams); }

 private:
  TunDevice tap_;
  MacAddress mac_;
  IpAddress link_local_;
  std::vector<Bytes> received_;
};

SysResult<LanLink::State> TapLan::state() {
  State state;
  const SysResult<LinkInfo> link = find_link(tap_.name());
  if (!link && link.error().code != ENODEV) return Unexpected<SysError>(link.error());
  if (!link) return state;
  state.up = link->up;
  state.mtu_octets = link->mtu_octets;
  state.bridge = link->master;
  state.blocked = link->master != 0 && is_blocked_bridge_port(tap_.index());
  // Of a bridge it is the bridge that has this host's addresses on the LAN.
  const SysResult<std::vector<LinkAddress>> addresses = list_addresses(link->master != 0 ? link->master : tap_.index());
  if (!addresses) return Unexpected<SysError>(addresses.error());
  for (const LinkAddress& entry : *addresses) state.addresses.push_back(entry.address);
  state.ipv4 = IpAddress::parse(kDummyAddress);
  state.ipv6 = link_local_;
  return state;
}

/// Frames that may be IGMP or MLD. The rest of a bridge's traffic is ignored.
bool may_be_membership(const EthernetFrame& frame) {
  const bool to_group = (frame.destination[0] & std::byte{1}) != std::byte{0};
  if (!to_group) return false;
  ByteReader reader(frame.payload);
  if (frame.ethertype == kEthertypeIpv4 && reader.has(kIpv4HeaderOctets)) {
    return frame.payload[9] == std::byte{kProtocolIgmp};
  }
  // MLD without a hop-by-hop header is refused where refusals are counted.
  if (frame.ethertype == kEthertypeIpv6 && reader.has(kIpv6HeaderOctets)) {
    return frame.payload[6] == std::byte{kProtocolHopByHop} || frame.payload[6] == std::byte{kProtocolIcmpv6};
  }
  return false;
}

SysResult<std::span<const Bytes>> TapLan::receive() {
  const auto frames = tap_.receive();
  if (!frames) return Unexpected<SysError>(frames.error());
  received_.clear();
  for (const Bytes octets : *frames) {
    const std::optional<EthernetFrame> frame = EthernetFrame::parse(octets);
    if (frame && frame->source != mac_ && may_be_membership(*frame)) received_.push_back(frame->payload);
  }
  return std::span<const Bytes>(received_);
}

}  // namespace

std::unique_ptr<LanLink> make_tap_lan(TunDevice device) { return std::make_unique<TapLan>(std::move(device)); }

}  // namespace amt
