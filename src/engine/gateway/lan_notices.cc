#include "engine/gateway/lan_notices.hh"

#include "sys/log.hh"
#include "sys/log_limiter.hh"

namespace amt {
namespace {

std::size_t index_of(Family family) { return family == Family::kIpv4 ? 0 : 1; }
const char* protocol_of(Family family) { return family == Family::kIpv4 ? "IGMP" : "MLD"; }

/// Messages that are not for a router, or that every LAN has all the time.
bool is_ordinary(QuerierReject reject, const IpAddress& source) {
  switch (reject) {
    case QuerierReject::kOtherFamily:
    case QuerierReject::kNotMembership:
    case QuerierReject::kOwnQuery:
    case QuerierReject::kQueryOfNoAddress:
      return true;
    case QuerierReject::kBadSource:
      // RFC 3590: a host that has no address yet reports from `::`, and again from its address.
      return source.is_unspecified();
    default:
      return false;
  }
}

struct Refusal {
  QuerierCounter counter;
  const char* text;
};
/// Records of reports that came to nothing, in words. Link-scope groups are none: every host reports some.
constexpr std::array<Refusal, 6> kRefusals{{
    {QuerierCounter::kGroupsNotMulticast, "reports a group that is no multicast address"},
    {QuerierCounter::kExcludesOfSsmGroups, "joins a source-specific group without naming a source"},
    {QuerierCounter::kOlderReportsOfSsmGroups,
     "joins a source-specific group by a version of the protocol that names no source"},
    {QuerierCounter::kGroupsLimit, "joins a group beyond the most that a LAN may have"},
    {QuerierCounter::kSourcesLimit, "names sources beyond the most that a group may have"},
    {QuerierCounter::kQueriesLimit, "leaves more at once than can be asked about; it ages out instead"},
}};

}  // namespace

void LanNotices::adopt(const LanMembership& membership) {
  for (const Family family : {Family::kIpv4, Family::kIpv6}) {
    const Querier& querier = membership.querier(family);
    told_[index_of(family)] = querier.counters();
    others_[index_of(family)] = querier.is_querier() ? std::nullopt : querier.querier();
  }
}

void LanNotices::note_datagram(Family family, const Querier& querier, const Result<void, QuerierReject>& result) {
  const IpAddress& source = querier.last_source();
  if (!result && !is_ordinary(result.error(), source)) {
    log_warn_limited(interface_ + protocol_of(family) + std::string(counter_name(result.error())),
                     "downstream {}: {} message refused: {}, from {}", interface_, protocol_of(family),
                     counter_info(result.error()).help, source.to_string());
  }
  const Counters<QuerierCounter>& now = querier.counters();
  Counters<QuerierCounter>& before = told_[index_of(family)];
  for (const Refusal& refusal : kRefusals) {
    if (now[refusal.counter] <= before[refusal.counter]) continue;
    log_warn_limited(interface_ + protocol_of(family) + std::string(counter_name(refusal.counter)),
                     "downstream {}: host {} {}; that gives it nothing", interface_, source.to_string(), refusal.text);
  }
  before = now;
}

void LanNotices::note_roles(const LanMembership* membership) {
  if (membership == nullptr) {
    others_ = {};
    told_ = {};
    return;
  }
  for (const Family family : {Family::kIpv4, Family::kIpv6}) note_role(family, membership->querier(family));
}

void LanNotices::note_role(Family family, const Querier& querier) {
  std::optional<IpAddress>& known = others_[index_of(family)];
  const std::optional<IpAddress> other = querier.is_querier() ? std::nullopt : querier.querier();
  if (other == known) return;
  known = other;
  if (!other) {
    log_info("downstream {}: this gateway is the {} querier again", interface_, protocol_of(family));
  } else if (forward_always_) {
    log_info("downstream {}: {} is now the {} querier", interface_, other->to_string(), protocol_of(family));
  } else {
    log_info(
        "downstream {}: {} is now the {} querier; it forwards, this gateway does not (--forward-always where it brings "
        "no multicast)",
        interface_, other->to_string(), protocol_of(family));
  }
}

}  // namespace amt
