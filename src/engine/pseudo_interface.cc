#include "engine/pseudo_interface.hh"

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

// The kernel takes an IGMP query from any source; an MLD query must come from a link-local address (RFC 3810 §5.1.14).
IpAddress querier_address(Family family) {
  return family == Family::kIpv4 ? IpAddress::unspecified(family) : *IpAddress::parse("fe80::1");
}

}  // namespace

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

Instant PseudoInterface::next_deadline() const { return std::min(state_.next_deadline(), next_query_); }

void PseudoInterface::note(const RouterRejects& rejects) {
  refused_.any_source_joins_of_ssm_groups += rejects.exclude_of_ssm_group;
  refused_.older_joins_of_ssm_groups += rejects.older_report_of_ssm_group;
  refused_.over_limit += rejects.groups_limit + rejects.sources_limit;
}

}  // namespace amt
