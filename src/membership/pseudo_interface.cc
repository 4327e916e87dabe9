#include "membership/pseudo_interface.hh"

#include <algorithm>

namespace amt {
namespace {

RouterOptions router_options() {
  RouterOptions options;
  options.query_interval = PseudoInterface::kQueryInterval;
  options.single_reporter = true;
  options.groups_max = 4096;
  options.sources_per_group_max = 1024;
  return options;
}

constexpr CounterTable<HostJoinRefusal> kRefusals = {{
    {HostJoinRefusal::kAnySourceJoinsOfSsmGroups,
     own_counter("any_source_joins_of_ssm_groups", "records", "joins of a source-specific group without a source",
                 "The program must name a source (RFC 4607).")},
    {HostJoinRefusal::kOlderJoinsOfSsmGroups,
     own_counter("older_joins_of_ssm_groups", "records",
                 "joins of a source-specific group by IGMPv1, IGMPv2 or MLDv1, which name no source",
                 "This host is forced to that version: sysctl net.ipv4.conf.all.force_igmp_version=0 "
                 "net.ipv6.conf.all.force_mld_version=0.")},
    {HostJoinRefusal::kOverLimit,
     own_counter("over_limit", "records", "groups, or sources of a group, beyond what the gateway takes",
                 "Some program on this host joins very many.")},
}};
static_assert(is_complete(kRefusals));

// The kernel takes an IGMP query from any source; an MLD query must come from a link-local address (RFC 3810 §5.1.14).
IpAddress querier_address(Family family) {
  return family == Family::kIpv4 ? IpAddress::unspecified(family) : *IpAddress::parse("fe80::1");
}

}  // namespace

const CounterInfo& counter_info(HostJoinRefusal refusal) { return info_in(kRefusals, refusal); }

PseudoInterface::PseudoInterface(Instant now) : options_(router_options()), state_(options_), next_query_(now) {}

void PseudoInterface::handle_datagram(Instant now, Bytes octets, std::vector<FilterChange>& changes) {
  const Result<DatagramView, IpError> datagram = DatagramView::parse(octets);
  if (!datagram) return;
  // The host's source address may be `::` while its own is tentative; no demands beyond the message itself.
  const Result<GroupMessage, GroupMessageError> message = parse_group_message(*datagram, {});
  if (!message) return;
  if (const auto* report = std::get_if<GroupReport>(&*message)) {
    note(state_.handle_report(now, *report, changes));
  } else if (const auto* older = std::get_if<OlderReport>(&*message)) {
    note(state_.handle_older_report(now, *older, changes));
  } else if (const auto* leave = std::get_if<OlderLeave>(&*message)) {
    note(state_.handle_leave(now, *leave, changes));
  }
}

void PseudoInterface::handle_timeout(Instant now, std::vector<FilterChange>& changes,
                                     std::vector<std::vector<std::byte>>& queries) {
  state_.handle_timeout(now, changes);
  if (now < next_query_) return;
  next_query_ = now + kQueryInterval;
  for (const Family family : {Family::kIpv4, Family::kIpv6}) {
    GroupQuery query;
    query.version = family == Family::kIpv4 ? 3 : 2;
    query.group = IpAddress::unspecified(family);
    query.max_response_time = std::chrono::seconds(1);
    query.robustness = options_.robustness;
    query.query_interval = kQueryInterval;
    queries.push_back(write_query(querier_address(family), query));
  }
}

void PseudoInterface::save(StateRecordWriter& out) const { out(state_.states(), next_query_, refused_); }

void PseudoInterface::restore(Instant now, StateRecordReader& in, std::vector<FilterChange>& changes) {
  std::vector<RouterGroupState> groups;
  in(groups, next_query_, refused_);
  if (in.has_failed()) return;
  next_query_ = std::min(next_query_, now + kQueryInterval);
  // Limits are the same: what they leave out has been left out before.
  static_cast<void>(state_.restore(now, groups, changes));
}

Instant PseudoInterface::next_deadline() const { return std::min(state_.next_deadline(), next_query_); }

void PseudoInterface::note(const RouterRejects& rejects) {
  refused_.add(HostJoinRefusal::kAnySourceJoinsOfSsmGroups, rejects.exclude_of_ssm_group);
  refused_.add(HostJoinRefusal::kOlderJoinsOfSsmGroups, rejects.older_report_of_ssm_group);
  refused_.add(HostJoinRefusal::kOverLimit, rejects.groups_limit + rejects.sources_limit);
}

}  // namespace amt
