#include <algorithm>
#include <cerrno>

#include "engine/gateway/lan_link.hh"
#include "io/lan_port.hh"
#include "sys/netlink.hh"

namespace amt {
namespace {

class RealLan final : public LanLink {
 public:
  explicit RealLan(std::string interface, std::optional<LanPort> port = {})
      : interface_(std::move(interface)), port_(std::move(port)) {}

  const std::string& interface() const override { return interface_; }
  const char* kind() const override { return "lan"; }
  bool is_routed() const override { return true; }

  SysResult<void> open() override {
    const SysResult<LinkInfo> link = find_link(interface_);
    if (!link) return Unexpected<SysError>(link.error());
    if (!link->ethernet) return Unexpected<SysError>(SysError{"downstream", interface_, EPROTOTYPE});
    SysResult<LanPort> port = LanPort::open(interface_);
    if (!port) return Unexpected<SysError>(port.error());
    port_.emplace(std::move(*port));
    return {};
  }
  void close() override { port_.reset(); }
  bool is_open() const override { return port_.has_value(); }
  int fd() const override { return port_->fd(); }
  NamedDescriptor::Kind descriptor_kind() const override { return NamedDescriptor::Kind::kLan; }

  SysResult<State> state() override;
  SysResult<std::span<const Bytes>> receive() override { return port_->receive(); }
  Taken send(std::span<const SplitDatagram> datagrams) override { return port_->send(datagrams); }

 private:
  std::string interface_;
  std::optional<LanPort> port_;
};

/// The first that queries may come from.
std::optional<IpAddress> choose(const std::vector<LinkAddress>& addresses, Family family) {
  std::optional<IpAddress> chosen;
  for (const LinkAddress& entry : addresses) {
    const IpAddress& address = entry.address.address;
    if (address.family() != family || entry.tentative) continue;
    // RFC 3810 §5.1.14: an MLD query from anything but a link-local address is discarded. An IPv4 link-local address
    // will do where there is no other.
    const bool link_local = address.is_link_local();
    if (family == Family::kIpv6 && !link_local) continue;
    if (!chosen || (chosen->is_link_local() && !link_local)) chosen = address;
  }
  return chosen;
}

SysResult<LanLink::State> RealLan::state() {
  State state;
  const SysResult<LinkInfo> link = find_link(interface_);
  if (!link && link.error().code != ENODEV) return Unexpected<SysError>(link.error());
  state.lost = !link || link->index != port_->index();
  if (state.lost) return state;
  state.up = link->up;
  state.mtu_octets = link->mtu_octets;
  const SysResult<std::vector<LinkAddress>> addresses = list_addresses(link->index);
  if (!addresses) return Unexpected<SysError>(addresses.error());
  state.ipv4 = choose(*addresses, Family::kIpv4);
  state.ipv6 = choose(*addresses, Family::kIpv6);
  for (const LinkAddress& entry : *addresses) state.addresses.push_back(entry.address);
  return state;
}

}  // namespace

std::unique_ptr<LanLink> make_real_lan(const std::string& interface) { return std::make_unique<RealLan>(interface); }

SysResult<std::unique_ptr<LanLink>> adopt_real_lan(const std::string& interface, UniqueFd fd) {
  SysResult<LanPort> port = LanPort::adopt(std::move(fd), interface);
  if (!port) return Unexpected<SysError>(port.error());
  return std::make_unique<RealLan>(interface, std::move(*port));
}

}  // namespace amt
