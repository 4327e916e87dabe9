#include "membership/router_group.hh"

#include <boost/container/small_vector.hpp>

#include "membership/router_tables.hh"

namespace amt {
namespace {

/// Sources of a group while a record is applied; few groups have more.
using SourceScratch = boost::container::small_vector<SourceRecord, 16>;

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

std::uint32_t RouterGroup::apply(Instant now, const RouterOptions& options, RecordType type,
                                 std::span<const IpAddress> listed, ChangeLog& log, QueryQueue* queries) {
  if (extras_ && (now < extras_->v1_host_present || now < extras_->v2_host_present)) {
    // RFC 3376 §7.3.2: "IGMPv3 BLOCK messages are ignored, as are source-lists in TO_EX() messages"; and in mode
    // IGMPv1 "IGMPv2 Leave messages and IGMPv3 TO_IN() messages are also ignored" (I-g, I-h).
    if (type == RecordType::kBlockOldSources) return 0;
    if (type == RecordType::kChangeToInclude && now < extras_->v1_host_present) return 0;
    if (type == RecordType::kChangeToExclude) listed = {};
  }

  const RecordTimes times{now + options.group_membership_interval(), expires_};
  const FilterMode mode_before = mode_;
  FilterMode mode = sets_exclude(type) ? FilterMode::kExclude : mode_;
  SourceScratch next;
  SourceList to_ask;
  std::size_t added = 0;
  std::uint32_t refused = 0;
  const auto decide = [&](const IpAddress& source, const SourceRecord* held, bool is_listed) {
    Fate fate = source_fate(mode_before, type, held, is_listed, times);
    if (!fate.kept) return;
    if (held == nullptr && ++added > options.sources_per_group_max) {
      ++refused;
      return;
    }
    // With one reporter there is nobody else to ask: what would be asked about goes at once (I-e, I-f).
    if (fate.asked && options.single_reporter) fate.expires = kTimerZero;
    if (fate.asked && queries != nullptr) to_ask.push_back(source);
    if (mode == FilterMode::kInclude && fate.expires == kTimerZero) return;
    next.push_back({source, fate.expires});
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

  // R-5.3.3.8-b: over the limit the additions are ignored and what is there goes on being updated. X and Y count alike;
  // what is refused in EXCLUDE mode is forwarded, the safe side of a filter.
  for (std::size_t i = next.size(); i-- > 0 && next.size() > options.sources_per_group_max;) {
    const bool is_new = !std::binary_search(before.begin(), before.end(), next[i],
                                            [](const auto& a, const auto& b) { return a.address < b.address; });
    if (!is_new) continue;
    next.erase(next.begin() + static_cast<std::ptrdiff_t>(i));
    ++refused;
  }

  const bool group_asked = mode_before == FilterMode::kExclude && type == RecordType::kChangeToInclude;
  if (group_asked && options.single_reporter) {
    // Q(G) with nobody else to answer: the group timer has run out, X stays (I-c, I-f).
    mode = FilterMode::kInclude;
    next.erase(std::remove_if(next.begin(), next.end(), [](const SourceRecord& r) { return !r.is_forwarded(); }),
               next.end());
  }
  set_state(mode, next, log);
  if (sets_exclude(type)) expires_ = times.membership_expires;
  if (queries != nullptr) {
    ask_about_sources(now, options, to_ask, *queries);
    if (group_asked) ask_about_group(now, options, *queries);
  }
  refresh_deadline();
  return refused;
}

void RouterGroup::note_older_host(Instant now, const RouterOptions& options, std::uint8_t igmp_version) {
  Instant& timer = igmp_version == 1 ? extras().v1_host_present : extras().v2_host_present;
  timer = now + options.older_host_present_interval();
}

void RouterGroup::expire(Instant now, ChangeLog& log) {
  if (now < deadline()) return;
  // RFC 3376 §6.5: group timer at zero: INCLUDE(X), Y is deleted. §6.3: source timer at zero: in INCLUDE the record
  // goes, in EXCLUDE it stays and is not forwarded.
  const bool group_expired = mode_ == FilterMode::kExclude && expires_ <= now;
  const FilterMode mode = group_expired ? FilterMode::kInclude : mode_;
  SourceScratch next;
  for (SourceRecord record : sources()) {
    if (record.expires <= now) record.expires = kTimerZero;
    if (record.is_forwarded() || mode == FilterMode::kExclude) next.push_back(record);
  }
  set_state(mode, next, log);
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
  if (!extras_) extras_ = std::make_unique<Extras>();
  return *extras_;
}

}  // namespace amt
