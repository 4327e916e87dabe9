#include "engine/lan_membership.hh"

#include <algorithm>

namespace amt {
namespace {

QuerierOptions querier_options(Family family, const LanMembershipOptions& options) {
  QuerierOptions out;
  out.family = family;
  out.robustness = options.robustness;
  out.query_interval = options.query_interval;
  return out;
}

}  // namespace

LanMembership::LanMembership(const LanMembershipOptions& options, Instant now)
    : igmp_(querier_options(Family::kIpv4, options), now), mld_(querier_options(Family::kIpv6, options), now) {}

void LanMembership::set_address(Instant now, Family family, const std::optional<IpAddress>& address) {
  querier_of(family).set_address(now, address);
}

void LanMembership::handle_datagram(Instant now, Bytes datagram, std::vector<FilterChange>& changes) {
  if (datagram.empty()) return;
  const Family family = std::to_integer<unsigned>(datagram[0]) >> 4 == 4 ? Family::kIpv4 : Family::kIpv6;
  // A reject is counted there; there is nobody to tell.
  static_cast<void>(querier_of(family).handle_datagram(now, datagram, changes));
}

void LanMembership::handle_timeout(Instant now, std::vector<FilterChange>& changes) {
  igmp_.handle_timeout(now, changes);
  mld_.handle_timeout(now, changes);
}

Instant LanMembership::next_deadline() const { return std::min(igmp_.next_deadline(), mld_.next_deadline()); }

std::optional<std::vector<std::byte>> LanMembership::poll_query() {
  if (std::optional<std::vector<std::byte>> query = igmp_.poll_query()) return query;
  return mld_.poll_query();
}

void LanMembership::clear(std::vector<FilterChange>& changes) {
  igmp_.clear(changes);
  mld_.clear(changes);
}

}  // namespace amt
