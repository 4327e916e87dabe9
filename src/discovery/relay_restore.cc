/// Searches and the selection as octets, and back.

#include <algorithm>
#include <utility>

#include "discovery/relay_selection.hh"

namespace amt {

template <typename Io, typename Self>
void RelaySearch::fields(Io& io, Self& self) {
  io(self.rediscovery_, self.defaults_, self.services_, self.records_, self.dns_wanted_, self.dns_failures_,
     self.dns_problem_, self.refresh_at_, self.races_lost_, self.retry_at_, self.problem_, self.current_,
     self.round_trip_, self.delivering_, self.doubted_, self.silent_, self.suspect_at_);
  io.choice(self.reason_, RestartReason::kRecordsChanged);
}

void RelaySearch::save(StateRecordWriter& out) const {
  fields(out, *this);
  out(asking_dns_, race_.has_value());
}

void RelaySearch::restore(StateRecordReader& in) {
  fields(in, *this);
  bool was_asking = false;
  in(was_asking, resumes_race_);
  if (was_asking) refresh_at_ = Instant::min();
  // The options may have another order by now.
  if (!uses_dns()) {
    dns_wanted_ = false;
    refresh_at_ = kNoDeadline;
  }
  if (!current_) suspect_at_ = kNoDeadline;
}

void RelaySearch::resume(Instant now) {
  const bool asks = refresh_at_ <= now;
  if (asks) ask_dns();
  if (std::exchange(resumes_race_, false)) begin_race(now, reason_);
}

void RelaySelection::save(StateRecordWriter& out) const {
  out(hold_downs_, defaults_, services_, next_tunnel_, tunnels_);
  split_.save(out);
  out.count(needs_.size());
  for (const auto& [source, need] : needs_) {
    out(source, need);
    need.search.save(out);
  }
}

void RelaySelection::restore(Instant now, StateRecordReader& in) {
  in(hold_downs_, defaults_, services_, next_tunnel_, tunnels_);
  split_.restore(in);
  if (!tunnels_.empty() && tunnels_.rbegin()->first >= next_tunnel_) in.fail();
  for (std::size_t left = in.count(1); left > 0 && !in.has_failed(); --left) restore_need(in);
  split_.for_each_wanted([&](const IpAddress&, const SourceFilter& filter) {
    const bool is_sought =
        filter.mode == FilterMode::kExclude
            ? needs_.contains(std::nullopt)
            : std::ranges::all_of(filter.sources, [this](const IpAddress& source) { return needs_.contains(source); });
    if (!is_sought) in.fail();
  });
  if (in.has_failed()) return;
  for (auto need = needs_.begin(); need != needs_.end(); ++need) attach(now, need);
  for (auto& [number, tunnel] : tunnels_) {
    tunnel.close_at = tunnel.users == 0 ? std::min(tunnel.close_at, now + kIdle) : kNoDeadline;
  }
  for (auto need = needs_.begin(); need != needs_.end(); ++need) {
    need->second.search.resume(now);
    drain(now, need);
  }
  refresh_deadline();
}

void RelaySelection::restore_need(StateRecordReader& in) {
  WantedSource source;
  in(source);
  const auto [place, is_new] = needs_.emplace(source, Need{RelaySearch(options_, source, hold_downs_, random_)});
  Need& need = place->second;
  in(need);
  need.search.restore(in);
  const auto is_there = [this](const std::optional<TunnelNumber>& tunnel) {
    return !tunnel || tunnels_.contains(*tunnel);
  };
  const bool is_possible = is_new && split_.is_wanted(source) && is_there(need.tunnel) && is_there(need.former) &&
                           need.tunnel.has_value() == need.search.current().has_value() &&
                           (need.tunnel || !need.former);
  if (!is_possible) in.fail();
}

void RelaySelection::attach(Instant now, Needs::iterator need) {
  Need& served = need->second;
  std::vector<TunnelNumber> tunnels;
  for (const auto& number : {served.tunnel, served.former}) {
    if (!number) continue;
    ++tunnels_.at(*number).users;
    tunnels.push_back(*number);
  }
  served.former_until = served.former ? std::min(served.former_until, now + kOverlapMax) : kNoDeadline;
  if (served.moved_at != kNoDeadline) served.moved_at = std::min(served.moved_at, now + kLag);
  split_.set_tunnels(need->first, std::move(tunnels));
}

std::optional<Endpoint> RelaySelection::relay_of(TunnelNumber tunnel) const {
  const auto found = tunnels_.find(tunnel);
  return found == tunnels_.end() ? std::nullopt : std::optional(found->second.relay);
}

}  // namespace amt
