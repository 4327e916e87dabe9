#include "gateway/native_preference.hh"

#include <algorithm>
#include <array>

namespace amt {
namespace {

/// This many packets by the tunnel alone show that the source did not pause.
constexpr std::uint64_t kOutagePackets = 3;
/// Native packets that are fewer than the tunnel's divided by this are too few.
constexpr std::uint64_t kShareDivisor = 2;
/// One way may be slower than the other by this.
constexpr Duration kSkewMax = std::chrono::seconds(2);

std::string seconds(Duration duration) {
  return std::to_string(std::chrono::duration_cast<std::chrono::seconds>(duration).count()) + " s";
}

}  // namespace

std::string_view to_string(ServedBy served) {
  constexpr std::array<std::string_view, 4> kNames = {"nobody", "tunnel", "native", "both"};
  return kNames.at(static_cast<std::size_t>(served));
}

NativePreference::NativePreference(NativeOptions options, const KeyedHash& hash)
    : options_(options), groups_(0, hash) {}

NativePreference::Entry* NativePreference::find(Group& group, const IpAddress& source) {
  if (group.wanted.mode == FilterMode::kExclude) {
    return group.wanted.accepts(source) ? &group.entries.front() : nullptr;
  }
  const auto entry = std::lower_bound(group.entries.begin(), group.entries.end(), source,
                                      [](const Entry& each, const IpAddress& wanted) { return *each.source < wanted; });
  return entry != group.entries.end() && *entry->source == source ? &*entry : nullptr;
}

NativeVerdict NativePreference::verdict(const Entry& entry, Instant now) {
  const bool both = entry.tunnel_asked && entry.state != State::kHeldDown;
  return both || now < entry.doubles_until ? NativeVerdict::kCheck : NativeVerdict::kDeliver;
}

void NativePreference::set_membership(Instant now, const IpAddress& address, const SourceFilter& filter) {
  Group& group = groups_[address];
  if (group.wanted == filter) {
    if (filter.is_nothing()) groups_.erase(address);
    return;
  }
  const auto asked = [](const Entry& entry) { return entry.tunnel_asked; };
  // Data that the tunnel brings already under the other mode must not pause.
  const bool any = filter.mode == FilterMode::kExclude || group.wanted.mode == FilterMode::kExclude;
  const bool in_use = any && std::any_of(group.entries.begin(), group.entries.end(), asked);
  std::vector<std::optional<IpAddress>> sources(filter.sources.begin(), filter.sources.end());
  if (filter.mode == FilterMode::kExclude) sources = {std::nullopt};
  std::vector<Entry> entries;
  for (const std::optional<IpAddress>& source : sources) {
    const auto known = std::find_if(group.entries.begin(), group.entries.end(),
                                    [&source](const Entry& entry) { return entry.source == source; });
    if (known != group.entries.end()) {
      entries.push_back(std::move(*known));
      continue;
    }
    Entry fresh{.source = source, .until = now + options_.head_start, .rhythm = DataWatch(options_.silence)};
    if (in_use) ask_tunnel(fresh);
    entries.push_back(std::move(fresh));
  }
  group.wanted = filter;
  group.entries = std::move(entries);
  emit_changes(address, group);
  if (filter.is_nothing()) groups_.erase(address);
  refresh_deadline(now);
}

NativeVerdict NativePreference::handle_native(Instant now, const IpAddress& source, const IpAddress& address) {
  const auto group = groups_.find(address);
  Entry* const entry = group == groups_.end() ? nullptr : find(group->second, source);
  // Held down: another program of this host, or another host of the link, has joined it.
  if (entry == nullptr || entry->state == State::kHeldDown) return NativeVerdict::kUnwanted;
  entry->rhythm.handle_packet(now);
  entry->last_native = now;
  if (entry->state == State::kOverlap) {
    ++entry->native_packets;
  } else if (entry->state == State::kWaiting) {
    if (entry->tunnel_asked) {
      begin_overlap(now, *entry);
    } else {
      serve_natively(now, *entry, address);
      emit_changes(address, group->second);
    }
    refresh_deadline(now);
  }
  return verdict(*entry, now);
}

NativeVerdict NativePreference::handle_tunnel(Instant now, const IpAddress& source, const IpAddress& address) {
  const auto group = groups_.find(address);
  Entry* const entry = group == groups_.end() ? nullptr : find(group->second, source);
  if (entry == nullptr) return NativeVerdict::kUnwanted;
  const NativeVerdict result = verdict(*entry, now);
  ++entry->tunnel_packets;
  if (entry->state == State::kWaiting && entry->stopped && entry->tunnel_packets == kOutagePackets) {
    count_failure(now, *entry, address);
    emit_changes(address, group->second);
    refresh_deadline(now);
  }
  return result;
}

void NativePreference::handle_timeout(Instant now) {
  if (now < deadline_) return;
  for (auto& [address, group] : groups_) {
    for (Entry& entry : group.entries) {
      if (deadline_of(entry) > now) continue;
      switch (entry.state) {
        case State::kWaiting:
          if (!entry.tunnel_asked) ask_tunnel(entry);
          break;
        case State::kOverlap:
          end_overlap(now, entry, address);
          break;
        case State::kNative:
          if (silence_of(entry) <= now) stop_native(now, entry, address);
          break;
        case State::kHeldDown:
          entry.state = State::kWaiting;
          entry.stopped = false;
          entry.rhythm.reset();
          break;
      }
    }
    emit_changes(address, group);
  }
  refresh_deadline(now);
}

std::optional<NativeStep> NativePreference::poll_step() {
  if (steps_.empty()) return std::nullopt;
  NativeStep step = std::move(steps_.front());
  steps_.pop_front();
  return step;
}

void NativePreference::for_each_wanted(
    const std::function<void(const IpAddress& group, const SourceFilter& filter)>& visit) const {
  for (const auto& [address, group] : groups_) visit(address, group.wanted);
}

void NativePreference::for_each_channel(
    const std::function<void(const Channel& channel, ServedBy served)>& visit) const {
  for (const auto& [address, group] : groups_) {
    for (const Entry& entry : group.entries) {
      ServedBy served = entry.tunnel_asked ? ServedBy::kTunnel : ServedBy::kNobody;
      if (entry.state == State::kOverlap) served = ServedBy::kBoth;
      if (entry.state == State::kNative) served = ServedBy::kNative;
      visit({entry.source, address}, served);
    }
  }
}

Instant NativePreference::silence_of(const Entry& entry) const {
  return entry.rhythm.is_flow() ? entry.rhythm.ask_at() : entry.last_native + options_.silence_unknown;
}

Instant NativePreference::deadline_of(const Entry& entry) const {
  switch (entry.state) {
    case State::kWaiting:
      return entry.tunnel_asked ? kNoDeadline : entry.until;
    case State::kOverlap:
    case State::kHeldDown:
      return entry.until;
    case State::kNative:
      return silence_of(entry);
  }
  return kNoDeadline;
}

void NativePreference::ask_tunnel(Entry& entry) {
  entry.tunnel_asked = true;
  entry.tunnel_packets = 0;
}

void NativePreference::begin_overlap(Instant now, Entry& entry) {
  entry.state = State::kOverlap;
  entry.until = now + options_.overlap;
  entry.native_packets = 1;
  entry.tunnel_packets = 0;
}

void NativePreference::end_overlap(Instant now, Entry& entry, const IpAddress& group) {
  if (entry.native_packets >= entry.tunnel_packets / kShareDivisor) return serve_natively(now, entry, group);
  const std::string share =
      std::to_string(entry.native_packets) + " packets of the tunnel's " + std::to_string(entry.tunnel_packets);
  entry.failures = std::max(entry.failures + 1, 2U);
  const Duration pause = hold_down(now, entry);
  change_over(entry, group,
              "comes natively with gaps (" + share + "): the tunnel goes on, native reception is tried again in " +
                  seconds(pause));
}

void NativePreference::serve_natively(Instant now, Entry& entry, const IpAddress& group) {
  change_over(entry, group, entry.tunnel_asked ? "comes natively: the tunnel is let go" : "comes natively");
  if (entry.tunnel_asked) entry.doubles_until = now + kSkewMax;
  entry.state = State::kNative;
  entry.tunnel_asked = false;
  entry.stopped = false;
  entry.native_since = now;
}

void NativePreference::stop_native(Instant now, Entry& entry, const IpAddress& group) {
  entry.state = State::kWaiting;
  entry.stopped = true;
  entry.doubles_until = now + kSkewMax;
  ask_tunnel(entry);
  change_over(entry, group, "does not come natively any more: the tunnel is asked for it");
}

void NativePreference::count_failure(Instant now, Entry& entry, const IpAddress& group) {
  const bool was_steady = entry.last_native - entry.native_since >= options_.steady;
  entry.failures = was_steady ? 1 : entry.failures + 1;
  // The pause to come is the path's, and says nothing about the source.
  entry.rhythm.reset();
  entry.stopped = false;
  if (entry.failures == 1) return;
  const Duration pause = hold_down(now, entry);
  change_over(entry, group,
              "stopped coming natively " + std::to_string(entry.failures) +
                  " times in a short while: the tunnel alone brings it for " + seconds(pause));
}

Duration NativePreference::hold_down(Instant now, Entry& entry) {
  Duration pause = options_.hold_down;
  for (std::uint32_t k = 2; k < entry.failures && pause < options_.hold_down_max; ++k) pause *= 2;
  pause = std::min(pause, options_.hold_down_max);
  entry.state = State::kHeldDown;
  entry.stopped = false;
  entry.until = now + pause;
  entry.doubles_until = now + kSkewMax;
  return pause;
}

void NativePreference::emit_changes(const IpAddress& address, Group& group) {
  SourceFilter natively = group.wanted;
  SourceFilter by_tunnel = group.wanted;
  const auto joined = [](const Entry& entry) { return entry.state != State::kHeldDown; };
  const auto asked = [](const Entry& entry) { return entry.tunnel_asked; };
  const auto keep = [&group](SourceFilter& filter, auto holds) {
    if (filter.mode == FilterMode::kExclude) {
      if (!holds(group.entries.front())) filter = {};
      return;
    }
    filter.sources.clear();
    for (const Entry& entry : group.entries) {
      if (holds(entry)) filter.sources.push_back(*entry.source);
    }
  };
  keep(natively, joined);
  keep(by_tunnel, asked);
  if (natively != group.native_emitted) steps_.push_back(JoinNatively{address, natively});
  if (by_tunnel != group.tunnel_emitted) steps_.push_back(AskTunnel{address, by_tunnel});
  group.native_emitted = std::move(natively);
  group.tunnel_emitted = std::move(by_tunnel);
}

void NativePreference::change_over(const Entry& entry, const IpAddress& group, const std::string& text) {
  steps_.push_back(ChangedOver{Channel{entry.source, group}.to_string() + " " + text});
}

void NativePreference::refresh_deadline(Instant now) {
  deadline_ = kNoDeadline;
  may_double_ = false;
  for (const auto& [address, group] : groups_) {
    for (const Entry& entry : group.entries) {
      deadline_ = std::min(deadline_, deadline_of(entry));
      if (verdict(entry, now) != NativeVerdict::kCheck) continue;
      may_double_ = true;
      if (now < entry.doubles_until) deadline_ = std::min(deadline_, entry.doubles_until);
    }
  }
}

}  // namespace amt
