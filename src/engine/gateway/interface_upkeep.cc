#include "engine/gateway/interface_upkeep.hh"

#include <algorithm>
#include <cerrno>

#include "sys/bridge_port.hh"
#include "sys/log.hh"
#include "sys/log_limiter.hh"
#include "sys/netlink.hh"

namespace amt {
namespace {

constexpr int kOff = 0;
/// Lets sources pass that this host has any route to.
constexpr int kLoose = 2;

}  // namespace

InterfaceUpkeep::InterfaceUpkeep(std::string name, int index, InterfaceSettings settings)
    : name_(std::move(name)), index_(index), settings_(std::move(settings)) {}

SysResult<void> InterfaceUpkeep::install() {
  if (settings_.bridge) {
    if (SysResult<void> joined = join_bridge(); !joined) return joined;
  }
  set_reverse_path(false);
  if (SysResult<void> up = set_link_up(index_); !up) return up;
  set_all(false);
  return {};
}

void InterfaceUpkeep::check() {
  const SysResult<LinkInfo> link = find_link(name_);
  if (!link || link->index != index_) return;
  if (settings_.bridge && link->master == 0 && join_bridge()) {
    log_warn_limited(name_ + " bridge", "{} was no port of {} any more, and is again", name_, *settings_.bridge);
  }
  set_reverse_path(true);
  // Routes go by an interface that is up only.
  if (link->up) set_all(true);
}

SysResult<void> InterfaceUpkeep::join_bridge() const {
  const SysResult<LinkInfo> bridge = find_link(*settings_.bridge);
  if (!bridge) return Unexpected<SysError>(bridge.error());
  return set_link_bridge(index_, bridge->index);
}

void InterfaceUpkeep::set_all(bool again) {
  for (const Prefix& address : settings_.addresses) set_address(address, again);
  if (const Prefix dummy = *Prefix::parse(kDummyAddress); settings_.dummy_address && !is_elsewhere(dummy.address)) {
    const SysResult<void> added = add_address(index_, dummy, AddressScope::kLink);
    if (!added && added.error().code != EEXIST) log_debug("{}", added.error().to_string());
  }
  for (const Prefix& route : settings_.routes) {
    const SysResult<void> added = add_route(index_, route);
    if (!added && added.error().code != EEXIST) {
      log_warn_limited(name_ + " route", "no route {} to {}: {}", route.to_string(), name_, added.error().to_string());
    } else if (added && again) {
      log_warn_limited(name_ + " route " + route.to_string(), "{}: the route {} was gone and is set again", name_,
                       route.to_string());
    }
  }
}

void InterfaceUpkeep::set_address(const Prefix& address, bool again) {
  const SysResult<void> added = add_address(index_, address);
  if (!added && added.error().code != EEXIST) {
    log_warn_limited(name_ + " address", "{} does not get the address {}: {}", name_, address.to_string(),
                     added.error().to_string());
  } else if (added && again) {
    log_warn_limited(name_ + " address " + address.to_string(), "{}: the address {} was gone and is set again", name_,
                     address.to_string());
  }
}

bool InterfaceUpkeep::is_elsewhere(const IpAddress& address) const {
  const SysResult<std::vector<LinkAddress>> addresses = list_addresses();
  return addresses && std::ranges::any_of(*addresses, [&](const LinkAddress& entry) {
           return entry.index != index_ && entry.address.address == address;
         });
}

void InterfaceUpkeep::set_reverse_path(bool again) {
  // Sources in the tunnel are routed elsewhere. The larger of the interface's mode and conf.all's is in force.
  const SysResult<int> of_all = reverse_path_filter("all");
  const int wanted = of_all && *of_all != 0 ? kLoose : kOff;
  if (again) {
    const SysResult<int> now = reverse_path_filter(name_);
    if (!now || *now == wanted) return;
  }
  if (const SysResult<void> set = set_reverse_path_filter(index_, wanted); !set) {
    log_warn_limited(name_ + " rp_filter", "{}: IPv4 sources that are routed elsewhere may be dropped: {}", name_,
                     set.error().to_string());
  } else if (wanted != kOff) {
    log_warn_limited(
        name_ + " rp_filter of all",
        "net.ipv4.conf.all.rp_filter is {}: IPv4 sources that this host has no route to stay filtered on {} "
        "(mend: sysctl net.ipv4.conf.all.rp_filter=0)",
        *of_all, name_);
  } else {
    log_info("{}: reverse-path filter is off{}", name_, again ? " again" : "");
  }
}

}  // namespace amt
