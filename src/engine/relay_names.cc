#include "engine/relay_names.hh"

#include <algorithm>

#include "ip/address.hh"
#include "sys/clock.hh"
#include "sys/log.hh"

namespace amt {
namespace {

/// The C library has no descriptor to wait on.
constexpr Duration kPoll = std::chrono::milliseconds(200);

}  // namespace

RelayNames::RelayNames(EventLoop& loop, std::vector<NamedRelay> relays, const std::optional<IpAddress>& local,
                       ChangeHandler on_change)
    : relays_(std::move(relays)),
      local_(local),
      on_change_(std::move(on_change)),
      last_(monotonic_now()),
      timer_(loop, [this] { on_timer(); }) {
  timer_.set(last_ + kRefresh);
}

void RelayNames::set_trouble(bool trouble) {
  if (trouble_ == trouble) return;
  trouble_ = trouble;
  if (lookups_.empty()) timer_.set(std::max(monotonic_now(), last_ + (trouble_ ? kHurry : kRefresh)));
}

void RelayNames::on_timer() {
  const Instant now = monotonic_now();
  if (lookups_.empty()) {
    begin(now);
  } else {
    take_answers();
  }
  if (lookups_.empty()) {
    timer_.set(now + (trouble_ ? kHurry : kRefresh));
  } else {
    timer_.set(now + kPoll);
  }
}

void RelayNames::begin(Instant now) {
  last_ = now;
  for (const NamedRelay& relay : relays_) {
    lookups_.push_back(relay.name.empty() ? nullptr : std::make_unique<HostLookup>(relay.name));
  }
}

bool RelayNames::is_usable(const IpAddress& address) const {
  return (is_routed_unicast(address) || address.is_loopback()) && (!local_ || local_->family() == address.family());
}

void RelayNames::take_answers() {
  bool changed = false;
  for (std::size_t at = 0; at < relays_.size(); ++at) {
    if (!lookups_[at]) continue;
    const std::optional<HostAddresses> answer = lookups_[at]->poll();
    if (!answer) continue;
    lookups_[at].reset();
    NamedRelay& relay = relays_[at];
    if (!*answer) {
      log_debug("{} cannot be looked up: {}", relay.name, answer->error().text);
      continue;
    }
    std::vector<Endpoint> found;
    for (const IpAddress& address : **answer) {
      if (is_usable(address)) found.push_back({address, relay.port});
    }
    // Resolvers turn the order round; that is no change.
    if (found.empty() || std::ranges::is_permutation(found, relay.endpoints)) continue;
    log_info("relay {} is now at {}", relay.name, found.front().to_string());
    relay.endpoints = std::move(found);
    changed = true;
  }
  if (std::ranges::any_of(lookups_, [](const auto& lookup) { return lookup != nullptr; })) {
    if (!changed) return;
  } else {
    lookups_.clear();
  }
  if (!changed) return;
  std::vector<Endpoint> all;
  for (const NamedRelay& relay : relays_) all.insert(all.end(), relay.endpoints.begin(), relay.endpoints.end());
  on_change_(all);
}

}  // namespace amt
