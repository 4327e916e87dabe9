#include "membership/querier.hh"

#include <algorithm>
#include <utility>

#include "base/assert.hh"

namespace amt {
namespace {

/// RFC 3376 §4.1.7: a querier that names no interval is assumed to use "the default [Query Interval] value specified in
/// section 8.2".
constexpr Duration kQueryIntervalDefault = std::chrono::seconds(125);

RouterOptions router_options(const QuerierOptions& options) {
  RouterOptions out;
  out.robustness = options.robustness;
  out.query_interval = options.query_interval;
  out.query_response_interval = options.query_response_interval;
  out.last_member_query_interval = options.last_member_query_interval;
  out.single_reporter = false;
  out.is_querier = false;
  out.groups_max = options.groups_max;
  out.sources_per_group_max = options.sources_per_group_max;
  out.ssm = options.ssm;
  return out;
}

/// RFC 3376 §6.6.2 compares addresses, RFC 3810 §7.6.2 "the interface ID represented by the last 64 bits".
bool is_lower(const IpAddress& a, const IpAddress& b) {
  const std::ptrdiff_t from = a.is_v4() ? 12 : 8;
  const auto& left = a.mapped_octets();
  const auto& right = b.mapped_octets();
  return std::lexicographical_compare(left.begin() + from, left.end(), right.begin() + from, right.end());
}

bool is_older(const GroupQuery& query) { return query.version < (query.group.is_v4() ? 3 : 2); }

/// Groups that every multicast router's interface is in.
std::vector<IpAddress> group_addresses(Family family) {
  const char* const names[2][3] = {{"224.0.0.1", "224.0.0.2", "224.0.0.22"}, {"ff02::1", "ff02::2", "ff02::16"}};
  std::vector<IpAddress> addresses;
  for (const char* const name : names[family == Family::kIpv4 ? 0 : 1]) addresses.push_back(*IpAddress::parse(name));
  return addresses;
}

QuerierReject reject_of(GroupMessageError error) {
  switch (error) {
    case GroupMessageError::kNotMembership:
      return QuerierReject::kNotMembership;
    case GroupMessageError::kFragment:
      return QuerierReject::kFragment;
    case GroupMessageError::kTruncated:
      return QuerierReject::kTruncated;
    case GroupMessageError::kBadChecksum:
      return QuerierReject::kBadChecksum;
    case GroupMessageError::kBadHopLimit:
      return QuerierReject::kBadHopLimit;
    case GroupMessageError::kBadDestination:
      return QuerierReject::kBadDestination;
    case GroupMessageError::kNoRouterAlert:
      return QuerierReject::kNoRouterAlert;
    case GroupMessageError::kBadSource:
      return QuerierReject::kBadSource;
  }
  AMT_ASSERT(false);
  return QuerierReject::kNotMembership;
}

}  // namespace

Querier::Querier(QuerierOptions options, Instant /*now*/)
    : options_(std::move(options)),
      current_(std::make_unique<RouterOptions>(router_options(options_))),
      state_(*current_),
      own_addresses_(group_addresses(options_.family)),
      last_source_(IpAddress::unspecified(options_.family)) {
  AMT_ASSERT(options_.robustness >= 1 && options_.robustness <= 7);
  options_.query_response_interval = std::min(options_.query_response_interval, options_.query_interval);
  options_.startup_response_interval = std::min(options_.startup_response_interval, options_.query_response_interval);
  current_->query_response_interval = options_.query_response_interval;
}

void Querier::set_address(Instant now, const std::optional<IpAddress>& address) {
  AMT_ASSERT(!address || address->family() == options_.family);
  if (address == address_) return;
  const bool is_first = !address_;
  address_ = address;
  if (!address_) {
    next_general_query_ = kNoDeadline;
    is_general_query_due_ = false;
  } else if (other_ && !is_lower(*other_, *address_)) {
    take_over(now);
  } else if (!other_ && is_first) {
    ask_anew(now);
  }
  refresh_role();
}

void Querier::ask_anew(Instant now) {
  if (other_ || !address_) return;
  startup_queries_left_ = options_.robustness;
  next_general_query_ = now;
}

void Querier::set_subnets(Instant now, std::vector<Prefix> addresses) {
  subnets_ = std::move(addresses);
  own_addresses_ = group_addresses(options_.family);
  for (const Prefix& subnet : subnets_) own_addresses_.push_back(subnet.address);
  if (other_ && !may_be_querier(*other_)) take_over(now);
}

bool Querier::is_own(const IpAddress& address) const {
  return address == address_ ||
         std::ranges::any_of(subnets_, [&](const Prefix& subnet) { return subnet.address == address; });
}

/// RFC 9776 §9.1 has forged queries in mind: "A forged Query message from a machine with a lower IP address than the
/// current Querier will cause Querier duties to be assigned to the forger". No router of this link has an address
/// outside its subnets, nor a subnet's own address or (IPv4) its broadcast address.
bool Querier::may_be_querier(const IpAddress& source) const {
  if (!source.is_v4()) {
    // RFC 4291 §2.6.1: the Subnet-Router anycast address "must not be used as the source address".
    return base_address({source, 64}) != source;
  }
  if (subnets_.empty()) return true;
  return std::ranges::any_of(subnets_, [&](const Prefix& subnet) {
    if (!subnet.contains(source)) return false;
    return subnet.length >= 31 || neighbour_in({source, subnet.length}).has_value();
  });
}

Result<void, QuerierReject> Querier::handle_datagram(Instant now, Bytes datagram, std::vector<FilterChange>& changes) {
  Result<void, QuerierReject> result = handle_message(now, datagram, changes);
  if (!result) rejects_.add(result.error());
  return result;
}

Result<void, QuerierReject> Querier::handle_message(Instant now, Bytes octets, std::vector<FilterChange>& changes) {
  using Refused = Unexpected<QuerierReject>;
  last_source_ = IpAddress::unspecified(options_.family);
  const Result<DatagramView, IpError> datagram = DatagramView::parse(octets);
  if (!datagram) return Refused(QuerierReject::kBadHeader);
  if (datagram->family() != options_.family) return Refused(QuerierReject::kOtherFamily);
  last_source_ = datagram->source;
  const Result<GroupMessage, GroupMessageError> message =
      parse_group_message(*datagram, {.router_alert = true,
                                      .link_local_source = true,
                                      .igmp_reports_without_router_alert = true,
                                      .own_addresses = own_addresses_});
  if (!message) return Refused(reject_of(message.error()));
  // RFC 3810 §5.2.13: "A Report sent with the unspecified address is also discarded by the router"; IGMP's counts.
  const bool is_v6 = options_.family == Family::kIpv6;
  if (datagram->source.is_multicast() || (is_v6 && datagram->source.is_unspecified())) {
    return Refused(QuerierReject::kBadSource);
  }
  if (const auto* const query = std::get_if<GroupQuery>(&*message)) {
    return handle_query(now, datagram->source, *query);
  }
  if (!datagram->router_alert) counters_.add(QuerierCounter::kReportsWithoutRouterAlert);
  if (const auto* const report = std::get_if<GroupReport>(&*message)) {
    counters_.add(QuerierCounter::kReportsReceived);
    note(state_.handle_report(now, *report, changes));
  } else if (const auto* const older = std::get_if<OlderReport>(&*message)) {
    counters_.add(QuerierCounter::kOlderReportsReceived);
    note(state_.handle_older_report(now, *older, changes));
  } else {
    counters_.add(QuerierCounter::kLeavesReceived);
    note(state_.handle_leave(now, std::get<OlderLeave>(*message), changes));
  }
  return {};
}

Result<void, QuerierReject> Querier::handle_query(Instant now, const IpAddress& source, const GroupQuery& query) {
  using Refused = Unexpected<QuerierReject>;
  if (source.is_unspecified()) return Refused(QuerierReject::kQueryOfNoAddress);
  if (is_own(source)) return Refused(QuerierReject::kOwnQuery);
  if (!may_be_querier(source)) return Refused(QuerierReject::kQueryFromElsewhere);
  counters_.add(QuerierCounter::kQueriesReceived);
  if (is_older(query)) counters_.add(QuerierCounter::kOlderQueriesReceived);
  if (!address_ || is_lower(source, *address_)) give_way(now, source, query);
  if (!query.is_general() && !query.suppress_router_processing) {
    // RFC 3376 §6.6.1. The Last Member Query Interval is the sender's, and stands in the query as Max Resp Time; never
    // shorter than ours, lest a forged one end listeners that had no time to answer.
    state_.handle_query(now, query,
                        current_->robustness * std::max(query.max_response_time, options_.last_member_query_interval));
  }
  return {};
}

void Querier::give_way(Instant now, const IpAddress& source, const GroupQuery& query) {
  const bool is_first = !other_;
  if (is_first) counters_.add(QuerierCounter::kQuerierChanges);
  other_ = source;
  next_general_query_ = kNoDeadline;
  is_general_query_due_ = false;
  startup_queries_left_ = 0;
  // RFC 3376 §4.1.6, §4.1.7: "Routers adopt the QRV value from the most recently received Query as their own
  // [Robustness Variable] value, unless that most recently received QRV was zero", and the interval likewise. Older
  // versions name neither.
  const bool names_values = !is_older(query);
  current_->robustness = names_values && query.robustness != 0 ? query.robustness : options_.robustness;
  current_->query_interval = !names_values                              ? options_.query_interval
                             : query.query_interval == Duration::zero() ? kQueryIntervalDefault
                                                                        : query.query_interval;
  // Departure from RFC 3376 §6.6.2, which has any query set the timer: specific ones refresh no listener. If the
  // querier failed after specific queries, the next one would ask only when all listeners have aged out. To ask too
  // soon does no harm.
  if (is_first || query.is_general()) {
    // RFC 3376 §8.5: "((the Robustness Variable) times (the Query Interval)) plus (one half of one Query Response
    // Interval)".
    other_present_until_ = now + current_->robustness * current_->query_interval + options_.query_response_interval / 2;
  }
  refresh_role();
}

void Querier::take_over(Instant now) {
  counters_.add(QuerierCounter::kQuerierChanges);
  other_.reset();
  other_present_until_ = kNoDeadline;
  current_->robustness = options_.robustness;
  current_->query_interval = options_.query_interval;
  // RFC 3376 §6.6.2: "After its Other-Querier Present timer expires, it should begin sending General Queries."
  next_general_query_ = address_ ? now : kNoDeadline;
  refresh_role();
}

void Querier::refresh_role() {
  if (current_->is_querier && !is_asking()) state_.stop_queries();
  current_->is_querier = is_asking();
}

void Querier::handle_timeout(Instant now, std::vector<FilterChange>& changes) {
  if (other_ && other_present_until_ <= now) take_over(now);
  if (next_general_query_ <= now) {
    is_general_query_due_ = true;
    // RFC 3376 §8.6, §8.7: the first [Startup Query Count] are [Startup Query Interval] apart.
    is_startup_query_ = startup_queries_left_ > 0;
    if (startup_queries_left_ > 0) --startup_queries_left_;
    next_general_query_ = now + (startup_queries_left_ > 0 ? options_.query_interval / 4 : options_.query_interval);
  }
  state_.handle_timeout(now, changes);
}

Instant Querier::next_deadline() const {
  return std::min({state_.next_deadline(), other_present_until_, next_general_query_});
}

std::optional<std::vector<std::byte>> Querier::poll_query() {
  if (!is_asking()) return std::nullopt;
  if (is_general_query_due_) {
    is_general_query_due_ = false;
    counters_.add(QuerierCounter::kGeneralQueriesSent);
    return write_query(*address_, general_query());
  }
  const std::optional<GroupQuery> query = state_.poll_query();
  if (!query) return std::nullopt;
  counters_.add(QuerierCounter::kSpecificQueriesSent);
  return write_query(*address_, *query);
}

void Querier::clear(std::vector<FilterChange>& changes) { state_.clear(changes); }

GroupQuery Querier::general_query() const {
  GroupQuery query;
  query.version = options_.family == Family::kIpv4 ? 3 : 2;
  query.group = IpAddress::unspecified(options_.family);
  query.max_response_time = is_startup_query_ ? options_.startup_response_interval : options_.query_response_interval;
  query.robustness = options_.robustness;
  query.query_interval = options_.query_interval;
  return query;
}

void Querier::note(const RouterRejects& rejects) {
  counters_.add(QuerierCounter::kLinkScopeGroups, rejects.link_scope_group);
  counters_.add(QuerierCounter::kGroupsNotMulticast, rejects.not_multicast);
  counters_.add(QuerierCounter::kExcludesOfSsmGroups, rejects.exclude_of_ssm_group);
  counters_.add(QuerierCounter::kOlderReportsOfSsmGroups, rejects.older_report_of_ssm_group);
  counters_.add(QuerierCounter::kGroupsLimit, rejects.groups_limit);
  counters_.add(QuerierCounter::kSourcesLimit, rejects.sources_limit);
  counters_.add(QuerierCounter::kQueriesLimit, rejects.queries_limit);
}

}  // namespace amt
