#include "engine/too_big.hh"

#include "ip/icmp_error.hh"

namespace amt {

TooBigReporter::TooBigReporter(SsmRange ssm, Random& random, Counters<RelayCounter>& counters, Send send)
    : ssm_(std::move(ssm)),
      per_source_(kPerSourcePerSecondMax, KeyedHash(random)),
      counters_(counters),
      send_(std::move(send)) {}

void TooBigReporter::report(Instant now, Bytes datagram, std::size_t inner_octets_max) {
  const Result<DatagramView, IpError> view = DatagramView::parse(datagram);
  if (!view || !ssm_.contains(view->destination) || !may_answer_with_icmp_error(*view)) return;
  constexpr Duration kInterval = Duration(std::chrono::seconds(1)) / kPerSecondMax;
  const bool told = per_source_.allow(now, view->source) && in_all_.take(now, kInterval) &&
                    send_(view->source, write_too_big(*view, inner_octets_max));
  counters_.add(told ? RelayCounter::kTooBigReported : RelayCounter::kTooBigNotReported);
}

}  // namespace amt
