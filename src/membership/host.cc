#include "membership/host.hh"

#include <algorithm>
#include <deque>
#include <map>
#include <set>
#include <utility>

#include "base/assert.hh"
#include "membership/host_group.hh"
#include "membership/host_split.hh"

namespace amt {
namespace {

/// RFC 3376 §8.1: the default, for a querier that names none (QRV 0).
constexpr std::uint8_t kRobustnessDefault = 2;
/// RFC 3376 §4.1.6: a querier names it in three bits.
constexpr std::uint8_t kRobustnessMax = 7;

}  // namespace

struct HostMachine::Impl {
  HostOptions options;
  Random* random;
  std::uint8_t robustness;
  /// There is no router to report to: nothing becomes due until the next General Query.
  bool is_muted = false;
  /// Of the last input.
  Instant now{};
  std::map<IpAddress, HostGroup> groups;
  /// The deadline of every group that has one.
  std::set<std::pair<Instant, IpAddress>> deadlines;
  Instant general_due = kNoDeadline;
  /// A current-state report under way has come to the groups after this one.
  std::optional<IpAddress> general_after;
  bool is_answering_general = false;
  /// How often the current-state report is still to be repeated.
  unsigned general_repeats = 0;
  /// Records that are due, each small enough for a report.
  std::deque<GroupRecord> outbox;

  [[nodiscard]] std::size_t records_octets_max() const {
    return options.report_octets_max - report_overhead_octets(options.family);
  }
  [[nodiscard]] std::size_t sources_max() const {
    const std::size_t empty = record_octets({RecordType::kModeIsInclude, IpAddress::unspecified(options.family), {}});
    const std::size_t address_octets = options.family == Family::kIpv4 ? 4 : 16;
    return std::min<std::size_t>((records_octets_max() - empty) / address_octets, 0xffff);
  }

  /// Lets `f` change a group, and keeps its deadline's place up to date. A group with nothing left goes.
  template <typename F>
  void with_group(std::map<IpAddress, HostGroup>::iterator it, const F& f) {
    const Instant before = it->second.deadline();
    f(it->second);
    const Instant after = it->second.deadline();
    if (before != after) {
      if (before != kNoDeadline) deadlines.erase({before, it->first});
      if (after != kNoDeadline) deadlines.insert({after, it->first});
    }
    if (it->second.is_done()) groups.erase(it);
  }

  void put(std::vector<GroupRecord>&& records) {
    for (GroupRecord& record : records) split_record(std::move(record), sources_max(), outbox);
  }

  /// Moves the records of one group that has something due, or of one group of the current-state report, to the
  /// outbox. False: nothing is due.
  bool fill_outbox(Instant repeat_at) {
    std::vector<GroupRecord> records;
    if (!deadlines.empty() && deadlines.begin()->first <= now) {
      const auto it = groups.find(deadlines.begin()->second);
      AMT_ASSERT(it != groups.end());
      with_group(it, [&](HostGroup& group) {
        group.take_change_records(now, repeat_at, it->first, records);
        group.take_response(now, it->first, records);
      });
      put(std::move(records));
      return true;
    }
    if (general_due <= now) {
      general_due = kNoDeadline;
      is_answering_general = true;
      general_after.reset();
    }
    if (!is_answering_general) return false;
    const auto it = general_after ? groups.upper_bound(*general_after) : groups.begin();
    if (it == groups.end()) {
      is_answering_general = false;
      if (general_repeats > 0 && general_due == kNoDeadline) {
        --general_repeats;
        general_due = repeat_at;
      }
      return false;
    }
    general_after = it->first;
    if (!it->second.filter().is_nothing()) records.push_back(it->second.current_state(it->first));
    put(std::move(records));
    return true;
  }

  [[nodiscard]] bool is_anything_due() const {
    return !outbox.empty() || is_answering_general || general_due <= now ||
           (!deadlines.empty() && deadlines.begin()->first <= now);
  }

  [[nodiscard]] bool accepts(const IpAddress& group, const SourceFilter& filter) const {
    if (group.family() != options.family || !is_forwardable_group(group)) return false;
    if (filter.mode == FilterMode::kExclude && options.ssm.contains(group)) return false;
    return std::all_of(filter.sources.begin(), filter.sources.end(),
                       [this](const IpAddress& source) { return source.family() == options.family; });
  }

  void adopt_robustness(std::uint8_t value) {
    robustness = value == 0 ? kRobustnessDefault : value;
    for (auto& [address, group] : groups) group.limit_repeats(robustness);
  }
};

HostMachine::HostMachine(HostOptions options, Random& random) : impl_(std::make_unique<Impl>()) {
  impl_->options = std::move(options);
  impl_->random = &random;
  impl_->robustness = impl_->options.robustness == 0 ? kRobustnessDefault : impl_->options.robustness;
  const std::size_t record_octets_min =
      record_octets({RecordType::kModeIsInclude, IpAddress::unspecified(impl_->options.family), {IpAddress{}}});
  AMT_ASSERT(impl_->options.report_octets_max >= report_overhead_octets(impl_->options.family) + record_octets_min);
  AMT_ASSERT(impl_->options.unsolicited_report_interval > Duration::zero());
}
HostMachine::~HostMachine() = default;
HostMachine::HostMachine(HostMachine&&) noexcept = default;
HostMachine& HostMachine::operator=(HostMachine&&) noexcept = default;

bool HostMachine::set_filter(Instant now, const IpAddress& group, const SourceFilter& filter) {
  Impl& m = *impl_;
  m.now = now;
  if (!m.accepts(group, filter)) return false;
  const auto it = m.groups.try_emplace(group).first;
  m.with_group(it, [&](HostGroup& state) {
    if (state.filter() == filter) return;
    if (m.is_muted) {
      state.change_silently(filter);
    } else {
      state.change(now, filter, m.robustness);
    }
  });
  return true;
}

void HostMachine::handle_general_query(Instant now, std::uint8_t robustness, Duration delay_max) {
  Impl& m = *impl_;
  m.now = now;
  m.adopt_robustness(robustness);
  // Changes that no router has heard are reported now, and repeated like any change: one lost datagram must not cost a
  // query interval.
  if (m.is_muted) m.general_repeats = m.robustness - 1U;
  m.is_muted = false;
  if (m.groups.empty()) {
    m.general_repeats = 0;
    return;
  }
  const Instant due = now + m.random->between(Duration::zero(), delay_max);
  // RFC 3376 §5.2, rules 1 and 2.
  if (m.general_due > due) m.general_due = due;
}

void HostMachine::handle_specific_query(Instant now, const GroupQuery& query) {
  Impl& m = *impl_;
  m.now = now;
  if (query.version == (m.options.family == Family::kIpv4 ? 3 : 2)) m.adopt_robustness(query.robustness);
  const auto it = m.groups.find(query.group);
  if (m.is_muted || it == m.groups.end() || it->second.filter().is_nothing()) return;
  const Instant due = now + m.random->between(Duration::zero(), query.max_response_time);
  // Rule 1: "If there is a pending response to a previous General Query scheduled sooner than the selected delay, no
  // additional response needs to be scheduled."
  if (m.general_due < due) return;
  m.with_group(it, [&](HostGroup& group) { group.ask(due, query.sources); });
}

void HostMachine::restate(Instant now, const IpAddress& group) {
  Impl& m = *impl_;
  m.now = now;
  if (m.is_muted || group.family() != m.options.family || !is_forwardable_group(group)) return;
  m.with_group(m.groups.try_emplace(group).first, [&](HostGroup& state) { state.restate(now); });
}

void HostMachine::discard_pending() {
  Impl& m = *impl_;
  m.is_muted = true;
  m.general_due = kNoDeadline;
  m.general_repeats = 0;
  m.is_answering_general = false;
  m.outbox.clear();
  m.deadlines.clear();
  for (auto it = m.groups.begin(); it != m.groups.end();) {
    it->second.forget_pending();
    it = it->second.is_done() ? m.groups.erase(it) : std::next(it);
  }
}

void HostMachine::handle_timeout(Instant now) { impl_->now = now; }

Instant HostMachine::next_deadline() const {
  const Impl& m = *impl_;
  if (!m.outbox.empty() || m.is_answering_general) return m.now;
  return std::min(m.general_due, m.deadlines.empty() ? kNoDeadline : m.deadlines.begin()->first);
}

std::optional<std::vector<GroupRecord>> HostMachine::poll_report() {
  Impl& m = *impl_;
  if (!m.is_anything_due()) return std::nullopt;
  // RFC 3376 §5.1: repeats "at intervals chosen at random from the range (0, [Unsolicited Report Interval])"; one draw
  // for all that goes into this report, so that its repeat is one report again.
  const Instant repeat_at = m.now + m.random->between(Duration(1), m.options.unsolicited_report_interval);
  std::vector<GroupRecord> report;
  std::size_t room = m.records_octets_max();
  for (;;) {
    while (m.outbox.empty()) {
      if (m.fill_outbox(repeat_at)) continue;
      if (report.empty()) return std::nullopt;
      return report;
    }
    const std::size_t octets = record_octets(m.outbox.front());
    if (octets > room || report.size() == 0xffff) return report;
    room -= octets;
    report.push_back(std::move(m.outbox.front()));
    m.outbox.pop_front();
  }
}

void HostMachine::save(StateRecordWriter& out) const {
  const Impl& m = *impl_;
  const bool is_due = m.is_answering_general || !m.outbox.empty();
  out(m.robustness, m.is_muted, is_due ? m.now : m.general_due, m.general_repeats, m.groups);
}

void HostMachine::restore(Instant now, StateRecordReader& in) {
  Impl& m = *impl_;
  m.now = now;
  in(m.robustness, m.is_muted, m.general_due, m.general_repeats, m.groups);
  const Instant latest = now + m.options.unsolicited_report_interval;
  bool is_possible = m.robustness >= 1 && m.robustness <= kRobustnessMax && m.general_repeats < kRobustnessMax;
  for (const auto& [address, group] : m.groups) {
    is_possible = is_possible && m.accepts(address, group.filter()) && !group.is_done() &&
                  group.is_possible(m.options.family, latest) && !(m.is_muted && group.has_change_records());
    if (group.has_change_records()) m.deadlines.insert({group.deadline(), address});
  }
  if (!is_possible) in.fail();
}

bool HostMachine::empty() const {
  return std::all_of(impl_->groups.begin(), impl_->groups.end(),
                     [](const auto& entry) { return entry.second.filter().is_nothing(); });
}

SourceFilter HostMachine::filter(const IpAddress& group) const {
  const auto it = impl_->groups.find(group);
  return it == impl_->groups.end() ? SourceFilter{} : it->second.filter();
}

void HostMachine::for_each_group(
    const std::function<void(const IpAddress& group, const SourceFilter& filter)>& visit) const {
  for (const auto& [group, state] : impl_->groups) {
    if (!state.filter().is_nothing()) visit(group, state.filter());
  }
}

}  // namespace amt
