#include "membership/router_group.hh"

#include "base/assert.hh"
#include "membership/router_tables.hh"

namespace amt {
namespace {

/// Does the filter list it? In EXCLUDE only Y is shown (P-d).
bool is_shown(FilterMode mode, const SourceRecord& record) {
  return mode == FilterMode::kInclude || !record.is_forwarded();
}

bool shows_the_same(FilterMode mode, std::span<const SourceRecord> a, std::span<const SourceRecord> b) {
  const auto hidden = [mode](const SourceRecord& record) { return !is_shown(mode, record); };
  auto left = a.begin();
  auto right = b.begin();
  for (;;) {
    left = std::find_if_not(left, a.end(), hidden);
    right = std::find_if_not(right, b.end(), hidden);
    if (left == a.end() || right == b.end()) return left == a.end() && right == b.end();
    if (left->address != right->address) return false;
    ++left;
    ++right;
  }
}

bool holds(std::span<const SourceRecord> held, const SourceRecord& record) {
  return std::ranges::binary_search(held, record.address, {}, &SourceRecord::address);
}

}  // namespace

void ChangeLog::about_to_change(const RouterGroup& group) {
  const auto touched = std::span(out_).subspan(first_);
  bool is_new = false;
  if (touched.size() < kSearchedMax) {
    is_new = std::ranges::find(touched, group.group(), &FilterChange::group) == touched.end();
  } else {
    if (seen_.empty()) {
      for (const FilterChange& change : touched) seen_.insert(change.group);
    }
    is_new = seen_.insert(group.group()).second;
  }
  if (is_new) out_.push_back({group.group(), group.filter(), {}});
}

SourceFilter RouterGroup::filter() const {
  SourceFilter filter{mode_, {}};
  for (const SourceRecord& record : sources()) {
    if (is_shown(mode_, record)) filter.sources.push_back(record.address);
  }
  return filter;
}

bool RouterGroup::creates_state(RecordType type, std::span<const IpAddress> listed) {
  return sets_exclude(type) || (!listed.empty() && type != RecordType::kBlockOldSources);
}

std::size_t RouterGroup::drop_new(SourceScratch& next, std::span<const SourceRecord> held, std::size_t count) {
  std::size_t dropped = 0;
  const auto is_dropped = [&](const SourceRecord& record) {
    if (dropped == count || holds(held, record)) return false;
    ++dropped;
    return true;
  };
  // Backwards: kept sources move to the end.
  const auto kept = std::remove_if(next.rbegin(), next.rend(), is_dropped);
  next.erase(next.begin(), kept.base());
  return dropped;
}

RouterGroup::Outcome RouterGroup::merge(const RouterOptions& options, RecordType type,
                                        std::span<const IpAddress> listed, const RecordTimes& times) const {
  Outcome out{.mode = sets_exclude(type) ? FilterMode::kExclude : mode_};
  std::size_t added = 0;
  const auto decide = [&](const IpAddress& source, const SourceRecord* held, bool is_listed) {
    Fate fate = source_fate(mode_, type, held, is_listed, times);
    if (!fate.kept) return;
    if (held == nullptr && ++added > options.sources_per_group_max) {
      ++out.refused;
      return;
    }
    if (fate.asked) {
      // With one reporter there is no other host to query: sources that a query would name end at once (I-e, I-f).
      if (options.single_reporter) {
        fate.expires = kTimerZero;
      } else {
        out.to_ask.push_back(source);
      }
    }
    if (out.mode == FilterMode::kInclude && fate.expires == kTimerZero) return;
    out.sources.push_back({source, fate.expires});
  };
  const std::span<const SourceRecord> before = sources();
  auto held = before.begin();
  auto named = listed.begin();
  while (held != before.end() || named != listed.end()) {
    const bool from_held = named == listed.end() || (held != before.end() && held->address <= *named);
    const bool from_list = held == before.end() || (named != listed.end() && *named <= held->address);
    decide(from_held ? held->address : *named, from_held ? &*held : nullptr, from_list);
    if (from_held) ++held;
    if (from_list) ++named;
  }
  // R-5.3.3.8-b: over the limit additions are ignored and existing state goes on being updated. X and Y count alike. A
  // source that is refused in EXCLUDE mode is forwarded: the receiver then gets too much and not too little.
  if (out.sources.size() > options.sources_per_group_max) {
    const std::size_t surplus = out.sources.size() - options.sources_per_group_max;
    out.refused += static_cast<std::uint32_t>(drop_new(out.sources, before, surplus));
  }
  return out;
}

bool RouterGroup::fit(RouterGate& gate, Outcome& out) const {
  const auto size_of = [](FilterMode mode, std::size_t sources) {
    return sources + (mode == FilterMode::kExclude ? 1 : 0);
  };
  const std::span<const SourceRecord> held = sources();
  const std::size_t size_before = membership_count();
  const std::size_t size_wanted = size_of(out.mode, out.sources.size());
  std::size_t taken = 0;
  bool fits = true;
  if (size_wanted > size_before) {
    taken = gate.take_memberships(size_wanted - size_before);
    const std::size_t surplus = size_wanted - size_before - taken;
    fits = drop_new(out.sources, held, surplus) == surplus;
  }
  if (out.mode == FilterMode::kExclude) {
    fits = fits && (mode_ == FilterMode::kExclude || gate.allows_channel(nullptr, group_));
  } else {
    const auto is_refused = [&](const SourceRecord& record) {
      const bool is_included = mode_ == FilterMode::kInclude && holds(held, record);
      return !is_included && !gate.allows_channel(&record.address, group_);
    };
    out.sources.erase(std::remove_if(out.sources.begin(), out.sources.end(), is_refused), out.sources.end());
  }
  const std::size_t size_after = fits ? size_of(out.mode, out.sources.size()) : size_before;
  // `taken` made room for sources that may have been refused since. Sources that ended give their room back.
  gate.release_memberships(size_before + taken - size_after);
  return fits;
}

std::uint32_t RouterGroup::apply(Instant now, const RouterOptions& options, RecordType type,
                                 std::span<const IpAddress> listed, const Parties& parties) {
  if (extras_ && (now < extras_->v1_host_present || now < extras_->v2_host_present)) {
    // RFC 3376 §7.3.2: "IGMPv3 BLOCK messages are ignored, as are source-lists in TO_EX() messages"; and in mode
    // IGMPv1 "IGMPv2 Leave messages and IGMPv3 TO_IN() messages are also ignored" (I-g, I-h).
    if (type == RecordType::kBlockOldSources) return 0;
    if (type == RecordType::kChangeToInclude && now < extras_->v1_host_present) return 0;
    if (type == RecordType::kChangeToExclude) listed = {};
  }

  const RecordTimes times{now + options.group_membership_interval(), expires_};
  const bool group_asked = mode_ == FilterMode::kExclude && type == RecordType::kChangeToInclude;
  Outcome out = merge(options, type, listed, times);
  if (group_asked && options.single_reporter) {
    // Q(G) where no other host can answer: the group timer has run out, X stays (I-c, I-f).
    out.mode = FilterMode::kInclude;
    const auto is_blocked = [](const SourceRecord& record) { return !record.is_forwarded(); };
    out.sources.erase(std::remove_if(out.sources.begin(), out.sources.end(), is_blocked), out.sources.end());
  }
  if (parties.gate != nullptr && !fit(*parties.gate, out)) return out.refused;
  set_state(out.mode, out.sources, parties.log);
  if (sets_exclude(type)) expires_ = times.membership_expires;
  if (parties.queries != nullptr) {
    ask_about_sources(now, options, out.to_ask, *parties.queries);
    if (group_asked) ask_about_group(now, options, *parties.queries);
  }
  refresh_deadline();
  return out.refused;
}

void RouterGroup::note_older_host(Instant now, const RouterOptions& options, std::uint8_t igmp_version) {
  Instant& timer = igmp_version == 1 ? extras().v1_host_present : extras().v2_host_present;
  timer = now + options.older_host_present_interval();
}

void RouterGroup::expire(Instant now, ChangeLog& log, RouterGate* gate) {
  if (now < deadline()) return;
  // RFC 3376 §6.5: group timer at zero: INCLUDE(X), Y is deleted. §6.3: source timer at zero: in INCLUDE the record
  // goes, in EXCLUDE it stays and is not forwarded.
  const bool group_expired = mode_ == FilterMode::kExclude && expires_ <= now;
  Outcome out{.mode = group_expired ? FilterMode::kInclude : mode_};
  for (SourceRecord record : sources()) {
    if (record.expires <= now) record.expires = kTimerZero;
    if (record.is_forwarded() || out.mode == FilterMode::kExclude) out.sources.push_back(record);
  }
  // Nothing is added by this, so that it fits in any case; X may not all become channels of their own.
  const bool fits = gate == nullptr || fit(*gate, out);
  AMT_ASSERT(fits);
  set_state(out.mode, out.sources, log);
  // With its last source or listener the group's record goes, and its compatibility mode with it.
  if (is_nothing()) extras_.reset();
  refresh_deadline();
}

SourceRecord* RouterGroup::find(const IpAddress& source) {
  const auto it = std::ranges::lower_bound(sources(), source, {}, &SourceRecord::address);
  return it != sources().end() && it->address == source ? &*it : nullptr;
}

void RouterGroup::lower_timers(Instant until, std::span<const IpAddress> sources) {
  if (sources.empty() && mode_ == FilterMode::kExclude) expires_ = std::min(expires_, until);
  for (const IpAddress& source : sources) {
    SourceRecord* const record = find(source);
    // Zero, the timer of Y, is lower than all.
    if (record != nullptr) record->expires = std::min(record->expires, until);
  }
  refresh_deadline();
}

void RouterGroup::set_state(FilterMode mode, std::span<const SourceRecord> sources, ChangeLog& log) {
  if (mode != mode_ || !shows_the_same(mode, this->sources(), sources)) log.about_to_change(*this);
  mode_ = mode;
  if (mode == FilterMode::kInclude) expires_ = kNoDeadline;
  has_only_source_ = sources.size() == 1;
  if (has_only_source_) only_source_ = sources.front();
  if (sources.size() > 1) {
    extras().sources.assign(sources.begin(), sources.end());
  } else if (extras_) {
    extras_->sources = {};
    if (extras_->is_idle()) extras_.reset();
  }
}

std::span<SourceRecord> RouterGroup::sources() {
  if (has_only_source_) return {&only_source_, 1};
  return extras_ ? std::span(extras_->sources) : std::span<SourceRecord>();
}

std::span<const SourceRecord> RouterGroup::sources() const {
  if (has_only_source_) return {&only_source_, 1};
  return extras_ ? std::span<const SourceRecord>(extras_->sources) : std::span<const SourceRecord>();
}

Instant RouterGroup::earliest() const {
  Instant earliest = mode_ == FilterMode::kExclude ? expires_ : kNoDeadline;
  if (extras_) earliest = std::min(earliest, extras_->next_query);
  for (const SourceRecord& record : sources()) {
    if (record.is_forwarded()) earliest = std::min(earliest, record.expires);
  }
  return earliest;
}

void RouterGroup::refresh_deadline() {
  if (extras_) extras_->deadline = earliest();
}

RouterGroup::Extras& RouterGroup::extras() {
  if (!extras_) {
    const Instant deadline = earliest();
    extras_ = std::make_unique<Extras>();
    extras_->deadline = deadline;
  }
  return *extras_;
}

}  // namespace amt
