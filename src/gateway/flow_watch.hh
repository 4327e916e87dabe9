#pragma once
/// Notices which of several sources fell silent: a busy one does not hide another (D-3.3.4.1-a).

#include <boost/unordered/unordered_flat_map.hpp>
#include <optional>
#include <vector>

#include "base/state_record.hh"
#include "gateway/data_watch.hh"
#include "membership/source_filter.hh"

namespace amt {

/// The flows of one protocol: a `DataWatch` for each source that is wanted by name, and one for all others, which come
/// and go. Pure; on the data path: one look-up.
class FlowWatch {
 public:
  /// Sources by name beyond these are not watched: that they fall silent is not noticed.
  static constexpr std::size_t kSourcesMax = 65'536;

  explicit FlowWatch(Duration silence) : silence_(silence), others_(silence) {}

  /// Where packets are noted.
  class Flow {
   public:
    void handle_packet(Instant now) const {
      if (watch_ != nullptr) watches_->handle_packet(now, *watch_);
    }

   private:
    friend class FlowWatch;
    Flow(FlowWatch& watches, DataWatch* watch) : watches_(&watches), watch_(watch) {}
    FlowWatch* watches_;
    /// Null: of a source that is not watched.
    DataWatch* watch_;
  };
  /// Of `source`, wanted by a filter of this mode; valid until `handle_change`. Allocates nothing.
  [[nodiscard]] Flow flow_of(const IpAddress& source, FilterMode by);
  /// A Query was accepted and an Update followed: give the data time to come.
  void handle_refresh(Instant now);
  /// A group's filter changed: sources that are no longer wanted, or no longer by name, are learned again.
  void handle_change(const SourceFilter& before, const SourceFilter& after);
  void reset();

  /// For another one, and back in one that was told of the same filters: what is not wanted is left out.
  void save(StateRecordWriter& out) const;
  void restore(StateRecordReader& in);

  /// Something has come, and all that did would be missed.
  [[nodiscard]] bool is_flowing() const { return young_ == 0 && flows_ > 0; }
  /// Not later than the next question is due: data may have put it off.
  [[nodiscard]] Instant ask_at() const { return ask_at_; }
  /// Makes `ask_at` exact.
  void refresh_deadline();
  /// The relay is asked at `now` about the flows that were due at `due`. Returns their sources; none for the other
  /// sources.
  [[nodiscard]] std::vector<std::optional<IpAddress>> ask(Instant due, Instant now, Duration interval_max);

 private:
  struct Named {
    DataWatch watch;
    /// Groups whose filter names it.
    std::size_t groups = 0;
  };

  void handle_packet(Instant now, DataWatch& watch);
  void forget(DataWatch& watch);
  /// From `named_` and `others_`.
  void count_flows();

  Duration silence_;
  boost::unordered_flat_map<IpAddress, Named> named_;
  DataWatch others_;
  /// Watches that have seen something, and not yet a flow.
  std::size_t young_ = 0;
  std::size_t flows_ = 0;
  Instant ask_at_ = kNoDeadline;
};

}  // namespace amt
