#include "engine/relay/too_big_desk.hh"

#include <algorithm>

#include "sys/clock.hh"
#include "sys/log.hh"

namespace amt {

TooBigDesk::TooBigDesk(EventLoop& loop, SsmRange ssm, Random& random, Counters<RelayCounter>& counters,
                       Duration patience)
    : reporter_(
          std::move(ssm), random, [this](const IpAddress& source, Bytes message) { return send_icmp(source, message); },
          [&counters](bool is_reported) {
            counters.add(is_reported ? RelayCounter::kTooBigReported : RelayCounter::kTooBigNotReported);
          }),
      patience_(patience),
      timer_(loop, [this] { pass_on(monotonic_now()); }) {
  for (const Family family : {Family::kIpv4, Family::kIpv6}) {
    SysResult<IcmpSender> sender = IcmpSender::open(family);
    if (sender) {
      icmp_[family == Family::kIpv4 ? 0 : 1] = std::move(*sender);
    } else {
      log_debug("sources will not be told what is too big for a tunnel: {}", sender.error().to_string());
    }
  }
}

bool TooBigDesk::send_icmp(const IpAddress& source, Bytes message) {
  std::optional<IcmpSender>& sender = icmp_[source.is_v4() ? 0 : 1];
  if (!sender) return false;
  const SysResult<void> sent = sender->send(source, message);
  if (!sent) log_debug("{}", sent.error().to_string());
  return sent.has_value();
}

void TooBigDesk::report(Instant now, Bytes datagram, std::size_t inner_octets_max) {
  if (patience_ == Duration::zero()) return reporter_.report(now, datagram, inner_octets_max);
  const auto known = std::ranges::find_if(
      waiting_, [datagram](const Report& report) { return std::ranges::equal(report.datagram, datagram); });
  if (known != waiting_.end()) {
    known->inner_octets_max = std::min(known->inner_octets_max, inner_octets_max);
    return;
  }
  if (waiting_.size() == kWaitingMax) pass_on(now);
  if (waiting_.empty()) timer_.set(now + patience_);
  waiting_.push_back({{datagram.begin(), datagram.end()}, inner_octets_max});
}

void TooBigDesk::pass_on(Instant now) {
  for (const Report& report : waiting_) reporter_.report(now, report.datagram, report.inner_octets_max);
  waiting_.clear();
}

}  // namespace amt
