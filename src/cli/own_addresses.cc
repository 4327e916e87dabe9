#include "cli/own_addresses.hh"

#include <algorithm>
#include <utility>

#include "cli/relay_options.hh"
#include "sys/local_address.hh"
#include "sys/log.hh"

namespace amt {

OwnAddresses::OwnAddresses(EventLoop& loop, bool by_route, Serve serve)
    : by_route_(by_route), serve_(std::move(serve)), events_(loop, [this] { on_change(); }) {}

void OwnAddresses::set_served(const std::vector<Endpoint>& local, bool by_route) {
  by_route_ = by_route;
  served_.clear();
  for (const Endpoint& endpoint : local) served_.push_back(endpoint.address);
  lost_.clear();
}

void OwnAddresses::on_change() {
  if (by_route_) follow_routes();
  look_for_lost();
}

void OwnAddresses::follow_routes() {
  const std::vector<IpAddress> fresh = default_relay_addresses();
  const auto has_family = [](const std::vector<IpAddress>& among, Family family) {
    return std::ranges::any_of(among, [family](const IpAddress& one) { return one.family() == family; });
  };
  // An address that is still there keeps its tunnels, whatever newer ones there are (RFC 8981 makes one a day). A
  // family without a route for now keeps its address: a lease that is renewed may bring back the same.
  std::vector<IpAddress> next;
  for (const IpAddress& address : served_) {
    if (can_bind(address) || !has_family(fresh, address.family())) next.push_back(address);
  }
  for (const IpAddress& address : fresh) {
    if (!has_family(next, address.family())) next.push_back(address);
  }
  if (!std::ranges::is_permutation(next, served_)) static_cast<void>(serve_(next));
}

void OwnAddresses::look_for_lost() {
  for (const IpAddress& address : served_) {
    const bool is_there = can_bind(address);
    if (!is_there && lost_.insert(address).second) {
      log_warn("{} is no address of this host any more: no gateway reaches the relay there", address.to_string());
    } else if (is_there && lost_.erase(address) != 0) {
      log_info("{} is an address of this host again", address.to_string());
    }
  }
}

}  // namespace amt
