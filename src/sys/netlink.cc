#include "sys/netlink.hh"

#include <linux/if_link.h>
#include <linux/ip.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <netlink/route/link/inet.h>
#include <netlink/route/link/inet6.h>
#include <netlink/route/link/veth.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <fstream>

#include "sys/netlink_socket.hh"
#include "sys/socket_address.hh"
#include "sys/unique_fd.hh"

namespace amt {
namespace {

using namespace netlink;

std::string label(const Prefix& prefix) { return prefix.address.to_string() + '/' + std::to_string(prefix.length); }

std::string text_of(const char* text) { return text == nullptr ? "" : text; }
std::string hardware_address_of(rtnl_link* link) {
  nl_addr* const address = rtnl_link_get_addr(link);
  if (address == nullptr || nl_addr_get_len(address) == 0) return {};
  std::array<char, 64> text{};
  return nl_addr2str(address, text.data(), text.size());
}

LinkInfo info_of(rtnl_link* link) {
  return LinkInfo{rtnl_link_get_ifindex(link),
                  rtnl_link_get_name(link),
                  rtnl_link_get_mtu(link),
                  (rtnl_link_get_flags(link) & IFF_UP) != 0,
                  (rtnl_link_get_flags(link) & IFF_RUNNING) != 0,
                  rtnl_link_get_arptype(link) == ARPHRD_ETHER,
                  rtnl_link_get_master(link),
                  (rtnl_link_get_flags(link) & IFF_LOOPBACK) != 0,
                  text_of(rtnl_link_get_type(link)),
                  text_of(rtnl_link_get_ifalias(link)),
                  hardware_address_of(link)};
}

NlAddress build_address(const IpAddress& address, unsigned prefix_length) {
  const std::span<const std::byte> octets = address.bytes();
  NlAddress built(nl_addr_build(address_family(address.family()), octets.data(), octets.size()));
  if (built) nl_addr_set_prefixlen(built.get(), static_cast<int>(prefix_length));
  return built;
}

/// The kernel refuses a route with host bits set.
IpAddress without_host_bits(const Prefix& prefix) {
  std::array<std::byte, 16> octets{};
  const std::span<const std::byte> source = prefix.address.bytes();
  for (std::size_t i = 0; i < source.size(); ++i) {
    const std::size_t bits = prefix.length > 8 * i ? std::min<std::size_t>(8, prefix.length - 8 * i) : 0;
    octets[i] = source[i] & static_cast<std::byte>(0xff00U >> bits & 0xff);
  }
  return IpAddress::from_bytes(std::span(octets).first(source.size()));
}

std::optional<LinkAddress> link_address_of(rtnl_addr* entry) {
  nl_addr* const local = rtnl_addr_get_local(entry);
  if (local == nullptr) return std::nullopt;
  const int family = nl_addr_get_family(local);
  const unsigned octets = nl_addr_get_len(local);
  if ((family != AF_INET && family != AF_INET6) || octets != (family == AF_INET ? 4U : 16U)) return std::nullopt;
  const auto* const binary = static_cast<const std::byte*>(nl_addr_get_binary_addr(local));
  return LinkAddress{rtnl_addr_get_ifindex(entry),
                     {IpAddress::from_bytes({binary, octets}), static_cast<std::uint8_t>(nl_addr_get_prefixlen(local))},
                     (rtnl_addr_get_flags(entry) & (IFA_F_TENTATIVE | IFA_F_DADFAILED)) != 0};
}

/// libnl's code.
int add_route_to(std::uint32_t table, nl_sock* socket, int index, const Prefix& destination,
                 const std::optional<IpAddress>& gateway) {
  const Route route(rtnl_route_alloc());
  const NlAddress to = build_address(without_host_bits(destination), destination.length);
  if (!route || !to) return -NLE_NOMEM;
  rtnl_nexthop* const hop = rtnl_route_nh_alloc();
  if (hop == nullptr) return -NLE_NOMEM;
  rtnl_route_nh_set_ifindex(hop, index);
  if (gateway) {
    const NlAddress via = build_address(*gateway, gateway->is_v4() ? 32 : 128);
    if (via) rtnl_route_nh_set_gateway(hop, via.get());
  }
  rtnl_route_add_nexthop(route.get(), hop);  // `route` owns it from here on
  rtnl_route_set_family(route.get(), static_cast<std::uint8_t>(address_family(destination.address.family())));
  rtnl_route_set_table(route.get(), table);
  rtnl_route_set_protocol(route.get(), RTPROT_STATIC);
  rtnl_route_set_scope(route.get(), gateway ? RT_SCOPE_UNIVERSE : RT_SCOPE_LINK);
  if (const int error = rtnl_route_set_dst(route.get(), to.get()); error < 0) return error;
  return rtnl_route_add(socket, route.get(), NLM_F_CREATE);
}

}  // namespace

namespace {

/// By its name, or where that is null by its index; `object` is for errors.
SysResult<LinkInfo> find_link(int index, const char* name, const std::string& object) {
  LinkInfo info;
  const SysResult<void> found = with_socket("find interface", object, [&](nl_sock* socket) {
    rtnl_link* raw = nullptr;
    const int error = rtnl_link_get_kernel(socket, index, name, &raw);
    if (error < 0) return error == -NLE_OBJ_NOTFOUND ? -NLE_NODEV : error;
    const Link link(raw);
    info = info_of(link.get());
    return 0;
  });
  if (!found) return tl::unexpected(found.error());
  return info;
}

}  // namespace

SysResult<LinkInfo> find_link(const std::string& name) {
  // The kernel refuses longer names with an error of its own; to a user such an interface simply does not exist.
  if (name.empty() || name.size() >= IF_NAMESIZE) return tl::unexpected(SysError{"find interface", name, ENODEV});
  return find_link(0, name.c_str(), name);
}

SysResult<LinkInfo> find_link(int index) { return find_link(index, nullptr, std::to_string(index)); }

SysResult<std::vector<LinkInfo>> list_links() {
  std::vector<LinkInfo> links;
  const SysResult<void> listed = with_socket("list interfaces", {}, [&](nl_sock* socket) {
    nl_cache* raw = nullptr;
    if (const int error = rtnl_link_alloc_cache(socket, AF_UNSPEC, &raw); error < 0) return error;
    const NlCache cache(raw);
    nl_cache_foreach(
        cache.get(),
        [](nl_object* object, void* out) {
          // libnl's objects are "derived" from nl_object in C's manner.
          static_cast<std::vector<LinkInfo>*>(out)->push_back(info_of(reinterpret_cast<rtnl_link*>(object)));
        },
        &links);
    return 0;
  });
  if (!listed) return tl::unexpected(listed.error());
  return links;
}

bool is_link_gone(const std::string& name, int index) {
  const SysResult<LinkInfo> link = find_link(name);
  return link ? link->index != index : link.error().code == ENODEV;
}

SysResult<void> set_link_up(int index) {
  return change_link("set up", index, [](rtnl_link* change) {
    rtnl_link_set_flags(change, IFF_UP);
    return 0;
  });
}

SysResult<void> set_link_down(int index) {
  return change_link("set down", index, [](rtnl_link* change) {
    rtnl_link_unset_flags(change, IFF_UP);
    return 0;
  });
}

SysResult<void> set_link_mtu(int index, std::uint32_t mtu_octets) {
  return change_link("set MTU", index, [mtu_octets](rtnl_link* change) {
    rtnl_link_set_mtu(change, mtu_octets);
    return 0;
  });
}

SysResult<void> set_link_alias(int index, const std::string& alias) {
  return change_link("set alias of", index, [&alias](rtnl_link* change) {
    rtnl_link_set_ifalias(change, alias.c_str());
    return 0;
  });
}

SysResult<void> set_no_ipv6_address(int index) {
  return change_link("set IPv6 address generation", index, [](rtnl_link* change) {
    return rtnl_link_inet6_set_addr_gen_mode(change, IN6_ADDR_GEN_MODE_NONE);
  });
}

SysResult<void> set_transmit_queue(int index, std::uint32_t packets) {
  return change_link("set transmit queue", index, [packets](rtnl_link* change) {
    rtnl_link_set_txqlen(change, packets);
    return 0;
  });
}

SysResult<std::uint64_t> transmit_drops(int index) {
  std::uint64_t drops = 0;
  const SysResult<void> found = with_socket("read statistics", link_label(index), [&](nl_sock* socket) {
    rtnl_link* raw = nullptr;
    if (const int error = rtnl_link_get_kernel(socket, index, nullptr, &raw); error < 0) return error;
    const Link link(raw);
    drops = rtnl_link_get_stat(link.get(), RTNL_LINK_TX_DROPPED);
    return 0;
  });
  if (!found) return tl::unexpected(found.error());
  return drops;
}

SysResult<void> move_link(int index, int namespace_fd) {
  return change_link("move", index, [namespace_fd](rtnl_link* change) {
    rtnl_link_set_ns_fd(change, namespace_fd);
    return 0;
  });
}

SysResult<void> set_reverse_path_filter(int index, int mode) {
  return change_link("set rp_filter", index, [mode](rtnl_link* change) {
    return rtnl_link_inet_set_conf(change, IPV4_DEVCONF_RP_FILTER, static_cast<std::uint32_t>(mode));
  });
}

SysResult<int> reverse_path_filter(const std::string& name) {
  const std::string path = "/proc/sys/net/ipv4/conf/" + name + "/rp_filter";
  std::ifstream file(path);
  int mode = 0;
  if (!(file >> mode)) return tl::unexpected(SysError{"read", path, ENOENT});
  return mode;
}

SysResult<std::vector<LinkAddress>> list_addresses(int index) {
  std::vector<LinkAddress> addresses;
  const SysResult<void> listed = with_socket("list addresses", {}, [&](nl_sock* socket) {
    nl_cache* raw = nullptr;
    if (const int error = rtnl_addr_alloc_cache(socket, &raw); error < 0) return error;
    const NlCache cache(raw);
    nl_cache_foreach(
        cache.get(),
        [](nl_object* object, void* out) {
          // As in list_links().
          const std::optional<LinkAddress> address = link_address_of(reinterpret_cast<rtnl_addr*>(object));
          if (address) static_cast<std::vector<LinkAddress>*>(out)->push_back(*address);
        },
        &addresses);
    return 0;
  });
  if (!listed) return tl::unexpected(listed.error());
  if (index != 0) std::erase_if(addresses, [index](const LinkAddress& entry) { return entry.index != index; });
  return addresses;
}

SysResult<void> add_address(int index, const Prefix& address, AddressScope scope) {
  const std::string object = label(address) + " on " + link_label(index);
  return with_socket("add address", object, [&](nl_sock* socket) {
    const AddressEntry entry(rtnl_addr_alloc());
    const NlAddress local = build_address(address.address, address.length);
    if (!entry || !local) return -NLE_NOMEM;
    rtnl_addr_set_ifindex(entry.get(), index);
    if (const int error = rtnl_addr_set_local(entry.get(), local.get()); error < 0) return error;
    // Usable at once: these links are point to point or the test's own, no other host has the address.
    if (!address.address.is_v4()) rtnl_addr_set_flags(entry.get(), IFA_F_NODAD);
    if (scope == AddressScope::kLink) rtnl_addr_set_scope(entry.get(), RT_SCOPE_LINK);
    return rtnl_addr_add(socket, entry.get(), 0);
  });
}

SysResult<void> add_route(int index, const Prefix& destination, std::optional<IpAddress> gateway) {
  const std::string object = label(destination) + " by " + link_label(index);
  return with_socket("add route", object, [&](nl_sock* socket) {
    const int in_main = add_route_to(RT_TABLE_MAIN, socket, index, destination, gateway);
    if (in_main < 0 && in_main != -NLE_EXIST) return in_main;
    // The kernel keeps ff00::/8 of every interface in the table "local", which is asked first: a multicast route that
    // stands in the main table alone is never found.
    if (destination.address.is_v4() || !destination.address.is_multicast()) return in_main;
    const int in_local = add_route_to(RT_TABLE_LOCAL, socket, index, destination, gateway);
    return in_local == -NLE_EXIST ? in_main : in_local;
  });
}

std::optional<IpAddress> source_address_towards(const IpAddress& destination) {
  const UniqueFd socket(::socket(address_family(destination.family()), SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket) return std::nullopt;
  const SocketAddress to(Endpoint{destination, kAmtPort});
  // It only looks the route up.
  if (::connect(socket.get(), to.data(), to.size()) != 0) return std::nullopt;
  SocketAddress local;
  socklen_t length = SocketAddress::capacity();
  if (::getsockname(socket.get(), local.data(), &length) != 0) return std::nullopt;
  const std::optional<Endpoint> endpoint = local.endpoint();
  if (!endpoint || endpoint->address.is_unspecified()) return std::nullopt;
  return endpoint->address;
}

std::optional<IpAddress> default_route_address(Family family) {
  // The anycast addresses of AMT (RFC 7450 §7.1): anywhere beyond the default route would do.
  return source_address_towards(*IpAddress::parse(family == Family::kIpv4 ? "192.52.193.1" : "2001:3::1"));
}

std::optional<std::string> LocalInterfaces::towards(const IpAddress& destination) {
  const std::optional<IpAddress> source = source_address_towards(destination);
  if (!source) return std::nullopt;
  if (!addresses_) addresses_ = list_addresses().value_or(std::vector<LinkAddress>());
  for (const LinkAddress& entry : *addresses_) {
    if (entry.address.address == *source) return link_label(entry.index);
  }
  return std::nullopt;
}

std::optional<std::string> interface_towards(const IpAddress& destination) {
  return LocalInterfaces().towards(destination);
}

SysResult<void> create_veth(const std::string& name, const std::string& peer_name,
                            std::optional<int> peer_namespace_fd) {
  return with_socket("create veth", name, [&](nl_sock* socket) {
    const Link link(rtnl_link_veth_alloc());
    if (!link) return -NLE_NOMEM;
    const Link peer(rtnl_link_veth_get_peer(link.get()));
    if (!peer) return -NLE_NOMEM;
    rtnl_link_set_name(link.get(), name.c_str());
    rtnl_link_set_name(peer.get(), peer_name.c_str());
    if (peer_namespace_fd) rtnl_link_set_ns_fd(peer.get(), *peer_namespace_fd);
    return rtnl_link_add(socket, link.get(), NLM_F_CREATE | NLM_F_EXCL);
  });
}

}  // namespace amt
