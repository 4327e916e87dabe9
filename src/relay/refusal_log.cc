#include "relay/refusal_log.hh"

#include <algorithm>

namespace amt {

void RefusalLog::add(Instant now, const Refusal& refusal) {
  const auto reason = static_cast<std::size_t>(refusal.reason);
  const BriefLockGuard guard(lock_);
  Entry& entry = entries_[reason];
  ++entry.count;
  if (entry.lead == 0) entry.whose = refusal.whose;
  entry.lead = entry.whose == refusal.whose ? entry.lead + 1 : entry.lead - 1;
  if (now >= entry.quiet_until) {
    report(now, reason);
  } else {
    wait_until(entry.quiet_until);
  }
}

void RefusalLog::wait_until(Instant at) {
  if (at < next_deadline()) next_.store(at, std::memory_order_relaxed);
}

void RefusalLog::report(Instant now, std::size_t reason) {
  Entry& entry = entries_[reason];
  reports_.push_back({static_cast<RelayReject>(reason), entry.count, entry.whose});
  entry = Entry{};
  entry.quiet_until = now + kInterval;
}

void RefusalLog::handle_timeout(Instant now) {
  if (now < next_deadline()) return;
  const BriefLockGuard guard(lock_);
  next_.store(kNoDeadline, std::memory_order_relaxed);
  for (std::size_t reason = 0; reason < kReasons; ++reason) {
    const Entry& entry = entries_[reason];
    if (entry.count == 0) continue;
    if (now >= entry.quiet_until) {
      report(now, reason);
    } else {
      wait_until(entry.quiet_until);
    }
  }
}

std::optional<RefusalReport> RefusalLog::poll() {
  const BriefLockGuard guard(lock_);
  if (reports_.empty()) return std::nullopt;
  const RefusalReport report = reports_.back();
  reports_.pop_back();
  return report;
}

std::string_view option_behind(RelayReject reason) {
  switch (reason) {
    case RelayReject::kTunnelLimit:
    case RelayReject::kTunnelShareLimit:
      return "--max-tunnels";
    case RelayReject::kTunnelPerAddressLimit:
    case RelayReject::kTunnelPerPrefixLimit:
      return "--max-tunnels-per-address";
    case RelayReject::kChannelLimit:
    case RelayReject::kChannelShareLimit:
    case RelayReject::kGroupSourcesLimit:
      return "--max-channels";
    case RelayReject::kChannelPerAddressLimit:
    case RelayReject::kChannelPerPrefixLimit:
      return "--max-channels-per-address";
    case RelayReject::kMembershipLimit:
      return "--max-tunnels";
    case RelayReject::kGroupLimit:
      return "--max-groups";
    case RelayReject::kSourceLimit:
      return "--max-sources";
    case RelayReject::kGroupNotAllowed:
      return "--allow-group";
    case RelayReject::kRequestRateLimit:
      return "--max-requests-per-address";
    case RelayReject::kDiscoveryRateLimit:
      return "--max-discoveries-per-address";
    case RelayReject::kAnswerPrefixRateLimit:
      return "--max-answers-per-prefix";
    case RelayReject::kAnswerRateLimit:
      return "--max-answers";
    case RelayReject::kUpdateRateLimit:
      return "--max-updates-per-address";
    default:
      return {};
  }
}

}  // namespace amt
