#include "demo/network.hh"

#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <algorithm>
#include <string>
#include <vector>

#include "demo/plan.hh"
#include "sys/netlink.hh"

namespace amt {
namespace {

Prefix prefix(const char* address, std::uint8_t length) { return {IpAddress::parse(address).value(), length}; }

struct Port {
  const NetworkNamespace& place;
  std::string name;
  std::vector<Prefix> addresses;
};

SysResult<void> configure(const std::string& name, const std::vector<Prefix>& addresses) {
  const SysResult<LinkInfo> link = find_link(name);
  if (!link) return tl::unexpected(link.error());
  for (const Prefix& address : addresses) {
    if (SysResult<void> added = add_address(link->index, address); !added) return added;
  }
  return set_link_up(link->index);
}

SysResult<void> configure(const Port& port) {
  const SysResult<SysResult<void>> done = port.place.run([&port] { return configure(port.name, port.addresses); });
  return done ? *done : tl::unexpected(done.error());
}

/// A cable with a port at each end.
SysResult<void> connect(const Port& near, const Port& far) {
  const SysResult<SysResult<void>> made =
      near.place.run([&] { return create_veth(near.name, far.name, far.place.fd()); });
  if (!made) return tl::unexpected(made.error());
  if (!*made) return *made;
  if (SysResult<void> done = configure(near); !done) return done;
  return configure(far);
}

/// Through the relay's address on the uplink.
SysResult<void> add_default_route(const NetworkNamespace& place, const char* gateway) {
  const IpAddress via = IpAddress::parse(gateway).value();
  const SysResult<SysResult<void>> done = place.run([&]() -> SysResult<void> {
    const SysResult<LinkInfo> link = find_link(kUplink);
    if (!link) return tl::unexpected(link.error());
    return add_route(link->index, {IpAddress::unspecified(via.family()), 0}, via);
  });
  return done ? *done : tl::unexpected(done.error());
}

SysResult<void> lay_cables(const DemoNetwork& net) {
  const auto& [v4, v6] = family_plans();
  std::vector<SysResult<void>> steps;
  steps.push_back(
      configure(Port{net.relay, "lo", {{v4.relay, 32}, {v4.discovery, 32}, {v6.relay, 128}, {v6.discovery, 128}}}));
  steps.push_back(connect({net.relay, kRelayUpstream, {prefix("198.51.100.1", 24), prefix("2001:db8:51::1", 64)}},
                          {net.source, kUplink, {{v4.source(), 24}, {v6.source(), 64}}}));
  steps.push_back(
      connect({net.relay, "gateway4", {prefix("203.0.113.1", 30)}}, {net.gateways[0], kUplink, {{v4.gateway, 30}}}));
  steps.push_back(connect({net.relay, "gateway6", {prefix("2001:db8:113::1", 64)}},
                          {net.gateways[1], kUplink, {{v6.gateway, 64}}}));
  steps.push_back(connect({net.relay, "receiver0", {prefix("203.0.113.5", 30), prefix("2001:db8:114::1", 64)}},
                          {net.receiver, kUplink, {{v4.receiver, 30}, {v6.receiver, 64}}}));
  steps.push_back(add_default_route(net.source, "198.51.100.1"));
  steps.push_back(add_default_route(net.source, "2001:db8:51::1"));
  steps.push_back(add_default_route(net.gateways[0], "203.0.113.1"));
  steps.push_back(add_default_route(net.gateways[1], "2001:db8:113::1"));
  steps.push_back(add_default_route(net.receiver, "203.0.113.5"));
  steps.push_back(add_default_route(net.receiver, "2001:db8:114::1"));
  for (SysResult<void>& step : steps) {
    if (!step) return std::move(step);
  }
  return {};
}

/// IFF_RUNNING: not only switched on, but carrying.
bool all_links_running() {
  const SysResult<std::vector<LinkInfo>> links = list_links();
  const UniqueFd socket(::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!links || !socket) return false;
  return std::ranges::all_of(*links, [&socket](const LinkInfo& link) {
    ifreq request{};
    link.name.copy(request.ifr_name, IFNAMSIZ - 1);
    // Without its switch on, a link is none of ours (some systems give every namespace spare tunnels).
    return !link.up || (::ioctl(socket.get(), SIOCGIFFLAGS, &request) == 0 && (request.ifr_flags & IFF_RUNNING) != 0);
  });
}

}  // namespace

bool DemoNetwork::links_ready() const {
  // A cable is ready when both its ends are; the relay's namespace has one of each.
  return relay.run([] { return all_links_running(); }).value_or(false) &&
         std::ranges::all_of(std::array{&source, &gateways[0], &gateways[1], &receiver},
                             [](const NetworkNamespace* place) {
                               return place->run([] { return all_links_running(); }).value_or(false);
                             });
}

SysResult<DemoNetwork> DemoNetwork::build() {
  std::vector<NetworkNamespace> made;
  for (int i = 0; i < 5; ++i) {
    SysResult<NetworkNamespace> place = NetworkNamespace::create();
    if (!place) return tl::unexpected(place.error());
    made.push_back(std::move(*place));
  }
  DemoNetwork net{std::move(made[0]), std::move(made[1]), {std::move(made[2]), std::move(made[3])}, std::move(made[4])};
  if (SysResult<void> laid = lay_cables(net); !laid) return tl::unexpected(laid.error());
  return net;
}

}  // namespace amt
