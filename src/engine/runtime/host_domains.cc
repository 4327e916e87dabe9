#include "engine/runtime/host_domains.hh"

#include <algorithm>

#include "ip/address.hh"
#include "sys/netlink.hh"
#include "sys/resolver_file.hh"

namespace amt {
namespace {

/// Of these, as many as leave the budget (RFC 8777 §3.2.2) room for a source's records at the same moment.
constexpr std::size_t kNamedMax = 3;

}  // namespace

ServiceDomains service_domains_of_this_host() {
  ServiceDomains domains;
  for (const std::string& domain : read_resolver_file().search_domains) {
    const std::optional<DomainName> name = DomainName::parse(domain);
    if (!name || *name == DomainName() || domains.named.size() >= kNamedMax) continue;
    domains.named.push_back(*name);
  }
  domains.advisers = domains.named;
  const SysResult<std::vector<LinkAddress>> addresses = list_addresses();
  if (!addresses) return domains;
  for (const Family family : {Family::kIpv4, Family::kIpv6}) {
    const std::optional<IpAddress> own = default_route_address(family);
    // "SHOULD NOT be done for IPv4 link-local addresses or IPv6 link-local addresses"
    if (!own || own->is_link_local() || own->is_loopback()) continue;
    const auto address =
        std::ranges::find_if(*addresses, [&](const LinkAddress& one) { return one.address.address == *own; });
    if (address == addresses->end()) continue;
    domains.advisers.push_back(DomainName::reverse_of(base_address(address->address)));
  }
  return domains;
}

}  // namespace amt
