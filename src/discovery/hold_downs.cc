#include "discovery/hold_downs.hh"

#include <algorithm>

namespace amt {

void HoldDowns::hold_after_limit(Instant now, const IpAddress& relay) { hold(now, relay, now + kAfterLimit); }

void HoldDowns::hold_after_no_traffic(Instant now, const IpAddress& relay, Random& random) {
  hold(now, relay, now + random.between(kAfterNoTrafficMin, kAfterNoTrafficMax));
}

void HoldDowns::hold(Instant now, const IpAddress& relay, Instant until) {
  std::erase_if(until_, [&](const auto& held) { return held.second <= now; });
  if (until_.size() >= kRelaysMax && !until_.contains(relay)) {
    until_.erase(std::ranges::min_element(until_, {}, [](const auto& held) { return held.second; }));
  }
  Instant& end = until_.try_emplace(relay, until).first->second;
  end = std::max(end, until);
}

bool HoldDowns::is_held(Instant now, const IpAddress& relay) const {
  const auto held = until_.find(relay);
  return held != until_.end() && held->second > now;
}

Instant HoldDowns::next_end() const {
  const auto first = std::ranges::min_element(until_, {}, [](const auto& held) { return held.second; });
  return first == until_.end() ? kNoDeadline : first->second;
}

}  // namespace amt
