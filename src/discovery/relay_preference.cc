#include "discovery/relay_preference.hh"

#include <algorithm>

namespace amt {

std::string_view to_string(RelayOrigin origin) {
  switch (origin) {
    case RelayOrigin::kDnsSd:
      return "DNS-SD";
    case RelayOrigin::kAnycast:
      return "anycast";
    case RelayOrigin::kNamed:
      return "named";
    case RelayOrigin::kDriad:
      break;
  }
  return "DRIAD";
}

std::vector<RelayOrigin> default_discovery_order() {
  return {RelayOrigin::kDnsSd, RelayOrigin::kAnycast, RelayOrigin::kDriad};
}

std::weak_ordering compare_options(const RelayOption& a, const RelayOption& b, const std::vector<RelayOrigin>& order) {
  const auto rank = [&](RelayOrigin origin) { return std::ranges::find(order, origin) - order.begin(); };
  if (const std::weak_ordering by_origin = rank(a.origin) <=> rank(b.origin); by_origin != 0) return by_origin;
  // "the precedence from the RR MUST be used for sorting preference ahead of the Destination Address Selection"
  if (const std::weak_ordering by_record = a.precedence <=> b.precedence; by_record != 0) return by_record;
  if (const auto by_address = compare_destinations(a.destination, b.destination); by_address != 0) return by_address;
  return a.lot <=> b.lot;
}

bool may_use_driad(const DriadConditions& conditions) {
  return conditions.source_known && !conditions.native_path && !conditions.served_already &&
         !conditions.configured_relay && !conditions.dns_sd_relay && !conditions.anycast_relay;
}

}  // namespace amt
