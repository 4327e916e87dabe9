#include "discovery/hold_downs.hh"

#include <algorithm>

namespace amt {
namespace {

template <typename Key>
bool is_held(const std::map<Key, Instant>& holds, Instant now, const Key& key) {
  const auto held = holds.find(key);
  return held != holds.end() && held->second > now;
}

}  // namespace

void HoldDowns::hold_after_limit(Instant now, const IpAddress& relay) {
  hold(refusing_, now, relay, now + kAfterLimit);
}

void HoldDowns::hold_after_no_traffic(Instant now, const IpAddress& relay, const WantedSource& source, Random& random) {
  hold(fruitless_, now, {relay, source}, now + random.between(kAfterNoTrafficMin, kAfterNoTrafficMax));
}

/// Never shortens a hold-down.
template <typename Key>
void HoldDowns::hold(std::map<Key, Instant>& holds, Instant now, const Key& key, Instant until) {
  std::erase_if(holds, [&](const auto& held) { return held.second <= now; });
  if (holds.size() >= kHoldsMax && !holds.contains(key)) {
    holds.erase(std::ranges::min_element(holds, {}, [](const auto& held) { return held.second; }));
  }
  Instant& end = holds.try_emplace(key, until).first->second;
  end = std::max(end, until);
}

bool HoldDowns::is_refusing(Instant now, const IpAddress& relay) const { return is_held(refusing_, now, relay); }

bool HoldDowns::is_fruitless(Instant now, const IpAddress& relay, const WantedSource& source) const {
  return is_held(fruitless_, now, {relay, source});
}

}  // namespace amt
