#include "cli/serve_access.hh"

#include <algorithm>

#include "sys/log.hh"
#include "sys/netlink.hh"

namespace amt {

ServeAccess::ServeAccess(std::vector<Prefix> allowed, std::vector<std::string> origins)
    : allowed_(std::move(allowed)), has_own_subnets_(allowed_.empty()), origins_(std::move(origins)) {
  refresh();
}

void ServeAccess::refresh() {
  if (!has_own_subnets_) return;
  const SysResult<std::vector<LinkAddress>> addresses = list_addresses();
  if (!addresses) return log_warn("the subnets of this host are not known: {}", addresses.error().to_string());
  allowed_.clear();
  for (const LinkAddress& one : *addresses) allowed_.push_back(one.address);
}

bool ServeAccess::may_connect(const std::optional<Endpoint>& peer) const {
  if (!peer || peer->address.is_loopback()) return true;
  return std::ranges::any_of(allowed_, [&](const Prefix& one) { return one.contains(peer->address); });
}

bool ServeAccess::may_play(const HttpRequest& request) const {
  const auto is_allowed = [&](const std::string& one) { return one == "*" || one == request.origin; };
  if (std::ranges::any_of(origins_, is_allowed)) return true;
  // Browsers name the origin where a page reads the answer, and say "cross-site" where it only plays it.
  if (request.origin.empty()) return request.fetch_site != "cross-site";
  return !request.host.empty() &&
         (request.origin == "http://" + request.host || request.origin == "https://" + request.host);
}

std::vector<std::pair<std::string, std::string>> ServeAccess::fields_for(const HttpRequest& request) const {
  // A request without an origin is not a page's: what it may be told, anybody may.
  if (request.origin.empty()) return {{"Access-Control-Allow-Origin", "*"}};
  return {{"Access-Control-Allow-Origin", request.origin},
          {"Vary", "Origin"},
          {"Cross-Origin-Resource-Policy", "cross-origin"}};
}

}  // namespace amt
