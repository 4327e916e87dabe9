#include "membership/host_reporter.hh"

namespace amt {
namespace {

/// RFC 3376 §8.1, §8.2: the defaults. Queries of the older versions name neither.
constexpr std::uint8_t kRobustness = 2;
constexpr Duration kQueryInterval = std::chrono::seconds(125);

HostOptions options_for(const IpAddress& source) {
  HostOptions options;
  options.family = source.family();
  return options;
}

}  // namespace

HostReporter::HostReporter(const IpAddress& source, Random& random, BeforeAQuery before_a_query)
    : source_(source),
      machine_(options_for(source), random),
      waits_for_querier_(before_a_query == BeforeAQuery::kRepeat) {}

void HostReporter::set_filter(Instant now, const IpAddress& group, const SourceFilter& filter) {
  if (!machine_.set_filter(now, group, filter) || !waits_for_querier_) return;
  again_after_ = kAgainFirst;
  again_ = now + again_after_;
}

std::uint8_t HostReporter::version(Instant now) const {
  for (std::uint8_t version = 1; version < newest_version(); ++version) {
    if (now < older_querier_until_[version - 1U]) return version;
  }
  return newest_version();
}

void HostReporter::handle_query(Instant now, const GroupQuery& query) {
  waits_for_querier_ = false;
  again_ = kNoDeadline;
  const std::uint8_t before = version(now);
  if (query.is_general() && query.version < newest_version()) {
    // RFC 3376 §8.12: Robustness Variable times Query Interval, plus one Query Response Interval.
    older_querier_until_[query.version - 1U] = now + kRobustness * kQueryInterval + query.max_response_time;
  }
  // RFC 3376 §7.2.1: "Whenever a host changes its compatibility mode, it cancels all its pending response and
  // retransmission timers."
  if (version(now) != before) machine_.discard_pending();
  if (query.is_general()) {
    const bool names_robustness = query.version == newest_version();
    machine_.handle_general_query(now, names_robustness ? query.robustness : kRobustness, query.max_response_time);
  } else {
    machine_.handle_specific_query(now, query);
  }
}

void HostReporter::handle_timeout(Instant now, std::vector<std::vector<std::byte>>& reports) {
  if (again_ <= now) {
    machine_.handle_general_query(now, kRobustness);
    again_after_ = std::min(2 * again_after_, kAgainLast);
    again_ = machine_.empty() ? kNoDeadline : now + again_after_;
  }
  machine_.handle_timeout(now);
  const std::uint8_t spoken = version(now);
  while (const std::optional<std::vector<GroupRecord>> records = machine_.poll_report()) {
    if (spoken == newest_version()) {
      reports.push_back(write_report(source_, *records));
    } else {
      write_older(spoken, *records, reports);
    }
  }
}

void HostReporter::write_older(std::uint8_t spoken, const std::vector<GroupRecord>& records,
                               std::vector<std::vector<std::byte>>& reports) const {
  std::optional<IpAddress> told;
  for (const GroupRecord& record : records) {
    if (told == record.group) continue;
    told = record.group;
    if (!machine_.filter(record.group).is_nothing()) {
      reports.push_back(write_older_report(source_, {spoken, record.group}));
    } else if (source_.family() == Family::kIpv6 || spoken > 1) {
      // IGMPv1 knows no leave: the querier's timer does it.
      reports.push_back(write_older_leave(source_, {record.group}));
    }
  }
}

std::optional<HeardQuery> hear_query(Bytes octets) {
  const Result<DatagramView, IpError> datagram = DatagramView::parse(octets);
  if (!datagram) return std::nullopt;
  const bool is_mld = datagram->family() == Family::kIpv6;
  const Result<GroupMessage, GroupMessageError> message =
      parse_group_message(*datagram, {.router_alert = is_mld, .link_local_source = is_mld});
  const GroupQuery* const query = message ? std::get_if<GroupQuery>(&*message) : nullptr;
  if (query == nullptr) return std::nullopt;
  return HeardQuery{datagram->family(), *query};
}

}  // namespace amt
