#pragma once
/// Links, addresses and routes, by libnl-route-3. Blocking, control plane only; each call opens and closes its own
/// socket.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "ip/address.hh"
#include "sys/error.hh"

namespace amt {

struct LinkInfo {
  int index = 0;
  std::string name;
  std::uint32_t mtu_octets = 0;
  bool up = false;
  /// Up, and with a carrier.
  bool running = false;
  /// Ethernet or a link like it (veth, bridge, VLAN); not loopback.
  bool ethernet = false;
  /// Index of the bridge or bond that it is a port of; 0: none.
  int master = 0;
  bool loopback = false;
  /// "bridge", "tun", "veth"; empty for a network card.
  std::string kind{};
  /// The alias that an administrator or a program has set.
  std::string alias{};
  /// As `02:00:5e:10:00:01`; empty: it has none.
  std::string hardware_address{};
};

/// An address of an interface.
struct LinkAddress {
  int index = 0;
  Prefix address;
  /// It cannot be used as a source yet, or ever: duplicate address detection runs, or has failed (RFC 4862 §5.4).
  bool tentative = false;
};

/// ENODEV when there is none.
[[nodiscard]] SysResult<LinkInfo> find_link(const std::string& name);
[[nodiscard]] SysResult<LinkInfo> find_link(int index);
[[nodiscard]] SysResult<std::vector<LinkInfo>> list_links();
/// No interface of that name, or another one (not of that index).
[[nodiscard]] bool is_link_gone(const std::string& name, int index);
[[nodiscard]] SysResult<void> set_link_up(int index);
[[nodiscard]] SysResult<void> set_link_down(int index);
[[nodiscard]] SysResult<void> set_link_mtu(int index, std::uint32_t mtu_octets);
/// No link-local address is made, so no IPv6 is sent until an address is set.
[[nodiscard]] SysResult<void> set_no_ipv6_address(int index);
/// At most 255 octets of text that `ip link` shows.
[[nodiscard]] SysResult<void> set_link_alias(int index, const std::string& alias);
/// How many packets may wait to be sent, and how many were dropped since the interface's beginning.
[[nodiscard]] SysResult<void> set_transmit_queue(int index, std::uint32_t packets);
[[nodiscard]] SysResult<std::uint64_t> transmit_drops(int index);
/// IFLA_INET_CONF / IPV4_DEVCONF_RP_FILTER: 0 off, 1 strict, 2 loose. The larger of this and conf.all is in force.
[[nodiscard]] SysResult<void> set_reverse_path_filter(int index, int mode);
/// net.ipv4.conf.NAME.rp_filter; `name` may be "all".
[[nodiscard]] SysResult<int> reverse_path_filter(const std::string& name);

/// Every address of this host, or of one interface (`index` not 0).
[[nodiscard]] SysResult<std::vector<LinkAddress>> list_addresses(int index = 0);
enum class AddressScope : std::uint8_t {
  kGlobal,
  kLink,  ///< never chosen as the source of packets by another interface
};
/// EEXIST: the interface has it already.
[[nodiscard]] SysResult<void> add_address(int index, const Prefix& address, AddressScope scope = AddressScope::kGlobal);
/// A unicast or multicast route out of `index`, in the main table (IPv6 multicast also in the table that is asked
/// before it); `gateway` optional. EEXIST: it is there already, as a whole.
[[nodiscard]] SysResult<void> add_route(int index, const Prefix& destination, std::optional<IpAddress> gateway = {});

/// The source address that this host would use (a connected UDP socket's choice); nothing when there is no route.
[[nodiscard]] std::optional<IpAddress> source_address_towards(const IpAddress& destination);
/// The same for the default route of a family.
[[nodiscard]] std::optional<IpAddress> default_route_address(Family family);

/// This host's interfaces as they are when it is first asked: for many questions at one time. The kernel lists all its
/// addresses once, which takes longer the more there are.
class LocalInterfaces {
 public:
  /// The one that packets to `destination` leave by; nothing when there is no route.
  [[nodiscard]] std::optional<std::string> towards(const IpAddress& destination);

 private:
  std::optional<std::vector<LinkAddress>> addresses_;
};
/// The same for one question.
[[nodiscard]] std::optional<std::string> interface_towards(const IpAddress& destination);

/// veth pairs, moves between namespaces: for `amt demo` and tests.
[[nodiscard]] SysResult<void> create_veth(const std::string& name, const std::string& peer_name,
                                          std::optional<int> peer_namespace_fd);
[[nodiscard]] SysResult<void> move_link(int index, int namespace_fd);

}  // namespace amt
