#include "egress/too_big.hh"

#include "ip/icmp_error.hh"

namespace amt {

TooBigReporter::TooBigReporter(SsmRange ssm, Random& random, Send send, CountOutcome count_outcome)
    : ssm_(std::move(ssm)),
      per_source_(kPerSourcePerSecondMax, KeyedHash(random)),
      send_(std::move(send)),
      count_outcome_(std::move(count_outcome)) {}

void TooBigReporter::report(Instant now, Bytes datagram, std::size_t inner_octets_max) {
  const Result<DatagramView, IpError> view = DatagramView::parse(datagram);
  if (!view || !ssm_.contains(view->destination) || !may_answer_with_icmp_error(*view)) return;
  constexpr Duration kInterval = Duration(std::chrono::seconds(1)) / kPerSecondMax;
  const bool is_reported = per_source_.allow(now, view->source) && in_all_.take(now, kInterval) &&
                           send_(view->source, write_too_big(*view, inner_octets_max));
  count_outcome_(is_reported);
}

}  // namespace amt
