#pragma once
/// Router mode of a relay's upstream: a pseudo-interface that a routing daemon forwards multicast to.

#include <memory>
#include <string>
#include <vector>

#include "base/random.hh"
#include "engine/relay/upstream.hh"
#include "ip/address.hh"
#include "sys/unique_fd.hh"

namespace amt {

struct RouterUpstreamOptions {
  std::string interface;
  /// Of the interface, each with room for a neighbour (`neighbour_in`). Where there is none of IPv4, or no link-local
  /// one of IPv6, `kRouterAddressV4` or `kRouterAddressV6` is added.
  std::vector<Prefix> addresses;
};

/// Benchmarking addresses (RFC 2544), which are not routed: no other host needs to know this link.
inline constexpr const char* kRouterAddressV4 = "198.18.0.1/30";
inline constexpr const char* kRouterAddressV6 = "fe80::1/64";

/// Creates the interface and sets it up; it is gone when the result and its capture are. A TUN interface has one
/// reader, so there is one capture; it may be used by another thread than the result, which writes. The merged
/// membership appears on it as reports of one host, the neighbour of the interface's first address of each family,
/// since a routing daemon (FRR's pimd) takes none from the interface's own address or from outside its subnet. MLD
/// speaks from a link-local address (RFC 3810 §5.2.13). Needs CAP_NET_ADMIN. `random` outlives the result.
[[nodiscard]] SysResult<std::unique_ptr<Upstream>> open_router_upstream(const RouterUpstreamOptions& options,
                                                                        Random& random);
/// The same with the interface of another process, which stays as it is: its addresses, too. Error EINVAL: it has
/// another name.
[[nodiscard]] SysResult<std::unique_ptr<Upstream>> adopt_router_upstream(const RouterUpstreamOptions& options,
                                                                         UniqueFd tun, Random& random);

}  // namespace amt
