#include "membership/lan_membership.hh"

#include <algorithm>
#include <iterator>

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

void LanMembership::ask_anew(Instant now) {
  igmp_.ask_anew(now);
  mld_.ask_anew(now);
}

void LanMembership::set_subnets(Instant now, const std::vector<Prefix>& addresses) {
  for (const Family family : {Family::kIpv4, Family::kIpv6}) {
    std::vector<Prefix> own;
    std::ranges::copy_if(addresses, std::back_inserter(own),
                         [family](const Prefix& prefix) { return prefix.address.family() == family; });
    querier_of(family).set_subnets(now, std::move(own));
  }
}

std::pair<Family, Result<void, QuerierReject>> LanMembership::handle_datagram(Instant now, Bytes datagram,
                                                                              std::vector<FilterChange>& changes) {
  const bool is_v6 = !datagram.empty() && std::to_integer<unsigned>(datagram[0]) >> 4 == 6;
  const Family family = is_v6 ? Family::kIpv6 : Family::kIpv4;
  return {family, querier_of(family).handle_datagram(now, datagram, changes)};
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

void LanMembership::add_to(Tally& tally) const {
  for (const Family family : {Family::kIpv4, Family::kIpv6}) {
    const std::size_t at = family == Family::kIpv4 ? 0 : 1;
    tally.counters[at].add_all(querier(family).counters());
    tally.rejects[at].add_all(querier(family).rejects());
  }
}

void LanMembership::save(StateRecordWriter& out) const {
  igmp_.save(out);
  mld_.save(out);
}

void LanMembership::restore(Instant now, StateRecordReader& in, std::vector<FilterChange>& changes) {
  igmp_.restore(now, in, changes);
  mld_.restore(now, in, changes);
}

void LanMembership::clear(std::vector<FilterChange>& changes) {
  igmp_.clear(changes);
  mld_.clear(changes);
}

}  // namespace amt
