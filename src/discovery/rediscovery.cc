#include "discovery/rediscovery.hh"

#include "base/backoff.hh"

namespace amt {

std::string_view to_string(RestartReason reason) {
  switch (reason) {
    case RestartReason::kFirstSubscription:
      return "a first subscription";
    case RestartReason::kLimit:
      return "the relay refuses new gateways (L flag)";
    case RestartReason::kRelaySilent:
      return "the relay does not answer";
    case RestartReason::kNoTraffic:
      return "the relay delivers nothing";
    case RestartReason::kRecordsChanged:
      return "the DNS names others now";
    case RestartReason::kNetworkChanged:
      break;
  }
  return "the network changed";
}

Rediscovery::Rediscovery(const RediscoveryOptions& options, Random& random) : options_(options), random_(random) {}

void Rediscovery::schedule(Instant at, RestartReason reason) {
  if (at >= restart_at_) return;
  restart_at_ = at;
  reason_ = reason;
}

void Rediscovery::handle_unserved(Instant now) { schedule(now, RestartReason::kFirstSubscription); }

void Rediscovery::handle_reported(Instant now) {
  if (delivering_ || restart_at_ != kNoDeadline) return;
  // RFC 8777 §3.3.4.1 lets the first patience be `no_traffic_initial` exactly. A source that pauses is missed by all of
  // a relay's gateways at the same moment: already the first is drawn.
  schedule(now + random_backoff(random_, options_.no_traffic_initial, options_.no_traffic_max, fruitless_ + 1),
           RestartReason::kNoTraffic);
}

void Rediscovery::handle_traffic() {
  delivering_ = true;
  fruitless_ = 0;
  if (reason_ == RestartReason::kNoTraffic) restart_at_ = kNoDeadline;
}

void Rediscovery::handle_left() {
  delivering_ = false;
  if (reason_ == RestartReason::kNoTraffic) restart_at_ = kNoDeadline;
}

void Rediscovery::handle_paused(Instant now) {
  delivering_ = false;
  handle_reported(now);
}

void Rediscovery::handle_limit(Instant now) { schedule(now, RestartReason::kLimit); }

void Rediscovery::handle_silent(Instant now) { schedule(now, RestartReason::kRelaySilent); }

void Rediscovery::handle_network_change(Instant now) { schedule(now, RestartReason::kNetworkChanged); }

Instant Rediscovery::next_deadline() const { return restart_at_; }

std::optional<RestartReason> Rediscovery::poll_restart(Instant now) {
  if (now < restart_at_) return std::nullopt;
  restart_at_ = kNoDeadline;
  delivering_ = false;
  if (reason_ == RestartReason::kNoTraffic) ++fruitless_;
  return reason_;
}

}  // namespace amt
