#pragma once
/// One group of a RouterState, and the rows of the state tables (RFC 3376 §6.4, RFC 3810 §7.4). Only for this room;
/// RouterState shows it because it holds one in place.

#include <algorithm>
#include <boost/container/small_vector.hpp>
#include <cstdint>
#include <memory>
#include <set>
#include <span>
#include <vector>

#include "amt/time.hh"
#include "membership/message.hh"
#include "membership/query_queue.hh"
#include "membership/router_gate.hh"
#include "membership/router_options.hh"
#include "membership/source_filter.hh"

namespace amt {

/// The timer of a source in Y: at zero, blocked.
inline constexpr Instant kTimerZero = Instant::min();

struct SourceRecord {
  IpAddress address;
  Instant expires = kTimerZero;

  /// In A or X, and not in Y.
  [[nodiscard]] bool is_forwarded() const { return expires != kTimerZero; }

  /// See base/state_record.hh.
  template <typename Io, typename Self>
  static void fields(Io& io, Self& self) {
    io(self.address, self.expires);
  }
};

/// Queries about one source that are to be repeated (RFC 3376 §6.6.3).
struct SourceQueries {
  IpAddress source;
  std::uint8_t left = 0;

  /// See base/state_record.hh.
  template <typename Io, typename Self>
  static void fields(Io& io, Self& self) {
    io(self.source, self.left);
  }
};

class ChangeLog;
struct RecordTimes;
struct RouterGroupState;

/// Laid out small, a cache line: a relay holds one per group and tunnel. Its one source stands in place.
class RouterGroup {
 public:
  RouterGroup() = default;
  explicit RouterGroup(const IpAddress& group) : group_(group) {}

  [[nodiscard]] const IpAddress& group() const { return group_; }
  /// Of the timers that change something by themselves. Older-version timers are compared when a message comes.
  [[nodiscard]] Instant deadline() const { return extras_ ? extras_->deadline : earliest(); }
  [[nodiscard]] SourceFilter filter() const;
  /// As a `RouterGate` counts them.
  [[nodiscard]] std::size_t membership_count() const {
    return sources().size() + (mode_ == FilterMode::kExclude ? 1 : 0);
  }
  /// No state is left: to be deleted.
  [[nodiscard]] bool is_nothing() const { return mode_ == FilterMode::kInclude && sources().empty(); }

  /// Would a record of `type` create a group that has no state yet?
  [[nodiscard]] static bool creates_state(RecordType type, std::span<const IpAddress> listed);

  struct Parties {
    ChangeLog& log;
    /// The queue of queries to other hosts about a leave; null where there are no other hosts, or where another router
    /// is the querier.
    QueryQueue* queries = nullptr;
    /// None: no limit but those of the options.
    RouterGate* gate = nullptr;
  };
  /// Applies one record; timers that are due have been run. Additions beyond the limits are left out. How many those of
  /// the options forbade.
  std::uint32_t apply(Instant now, const RouterOptions& options, RecordType type, std::span<const IpAddress> listed,
                      const Parties& parties);
  /// A report of version 1 or 2 starts that version's Host Present timer. MLDv1 counts as IGMPv2: it has a Done. Timers
  /// that are due have been run: a group that ended forgot its hosts.
  void note_older_host(Instant now, const RouterOptions& options, std::uint8_t igmp_version);
  void expire(Instant now, ChangeLog& log, RouterGate* gate);
  /// See `RouterState::for_each_state`.
  void copy_to(RouterGroupState& state) const;
  /// Of a group that has no state yet: takes over the sources that fit. Returns how many sources the options forbade.
  std::uint32_t restore(Instant now, const RouterOptions& options, const RouterGroupState& state,
                        const Parties& parties);
  /// Queues the specific queries that are due and schedules their repeats.
  void send_queries(Instant now, const RouterOptions& options, QueryQueue& queue);
  void stop_queries();
  /// Lowers the group timer, or the timers of `sources` if there are any.
  void lower_timers(Instant until, std::span<const IpAddress> sources);

 private:
  /// State that few groups have.
  struct Extras {
    /// RFC 3376 §7.3.2: Older Version Host Present timers.
    Instant v1_host_present = Instant::min();
    Instant v2_host_present = Instant::min();
    Instant next_query = kNoDeadline;
    std::uint8_t group_queries_left = 0;
    /// Ascending.
    std::vector<SourceQueries> source_queries;
    /// Two or more sources, or none.
    std::vector<SourceRecord> sources;
    /// `earliest()`, kept up to date.
    Instant deadline = kNoDeadline;

    [[nodiscard]] bool is_idle() const {
      return v1_host_present == Instant::min() && v2_host_present == Instant::min() && next_query == kNoDeadline &&
             sources.empty();
    }
  };

  /// Sources of a group while a record is applied; few groups have more.
  using SourceScratch = boost::container::small_vector<SourceRecord, 16>;
  /// The group's next state.
  struct Outcome {
    FilterMode mode = FilterMode::kInclude;
    SourceScratch sources{};
    SourceList to_ask{};
    std::uint32_t refused = 0;
  };
  /// Takes up to `count` sources out of `next` that are not `held`, from the end. How many.
  static std::size_t drop_new(SourceScratch& next, std::span<const SourceRecord> held, std::size_t count);
  /// By the state tables and the limits of the options.
  [[nodiscard]] Outcome merge(const RouterOptions& options, RecordType type, std::span<const IpAddress> listed,
                              const RecordTimes& times) const;
  /// Takes the sources that `gate` refuses out of `outcome`, and gives back the memberships that are not needed. False:
  /// nothing is admitted, and the group stays as it is.
  [[nodiscard]] bool fit(RouterGate& gate, Outcome& outcome) const;
  void set_state(FilterMode mode, std::span<const SourceRecord> sources, ChangeLog& log);
  void restore_queries(Instant now, const RouterOptions& options, const RouterGroupState& state);
  [[nodiscard]] SourceRecord* find(const IpAddress& source);
  void ask_about_sources(Instant now, const RouterOptions& options, std::span<const IpAddress> sources,
                         QueryQueue& queue);
  void ask_about_group(Instant now, const RouterOptions& options, QueryQueue& queue);
  /// Ascending by address; X and Y together.
  [[nodiscard]] std::span<SourceRecord> sources();
  [[nodiscard]] std::span<const SourceRecord> sources() const;
  [[nodiscard]] Instant earliest() const;
  void refresh_deadline();
  Extras& extras();

  IpAddress group_;
  /// The group timer; only in EXCLUDE.
  Instant expires_ = kNoDeadline;
  SourceRecord only_source_;
  std::unique_ptr<Extras> extras_;
  FilterMode mode_ = FilterMode::kInclude;
  bool has_only_source_ = false;
};

/// Collects the changes of one call: one entry per group, in order of first touch. The filter before is copied only
/// when it is about to change, so a refresh copies nothing.
class ChangeLog {
 public:
  explicit ChangeLog(std::vector<FilterChange>& out) : out_(out), first_(out.size()) {}

  void about_to_change(const RouterGroup& group);
  /// Fills in `after` by `filter_of(group)` and takes out groups whose filter is the same as before.
  template <typename F>
  void finish(const F& filter_of) {
    for (std::size_t i = first_; i < out_.size(); ++i) out_[i].after = filter_of(out_[i].group);
    const auto begin = out_.begin() + static_cast<std::ptrdiff_t>(first_);
    out_.erase(
        std::remove_if(begin, out_.end(), [](const FilterChange& change) { return change.before == change.after; }),
        out_.end());
  }

 private:
  /// Few are looked through, more are kept in a set.
  static constexpr std::size_t kSearchedMax = 16;

  std::vector<FilterChange>& out_;
  std::size_t first_;
  std::set<IpAddress> seen_;
};

}  // namespace amt
