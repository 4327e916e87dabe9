#pragma once
/// The filters of this gateway, for the data path (R-6.2-a), and the new ones of which no data has been heard yet.

#include <algorithm>
#include <boost/unordered/unordered_flat_map.hpp>
#include <optional>

#include "amt/time.hh"
#include "base/state_record.hh"
#include "membership/source_filter.hh"

namespace amt {

/// Pure. `accept` is on the data path: one look-up, and no more once everything was heard.
class Reception {
 public:
  /// Of `group` from now on; INCLUDE({}): nothing. True: something is wanted that was not before.
  bool set(const IpAddress& group, const SourceFilter& filter);
  /// Is a packet wanted, and by what filter? If so it is heard.
  [[nodiscard]] std::optional<FilterMode> accept(const IpAddress& source, const IpAddress& group);

  [[nodiscard]] bool is_anything_unheard() const { return unheard_ > 0; }
  /// It goes to another relay, or to the first: nothing was heard from there.
  void expect_all();
  /// A source that was not heard may have nothing to send.
  void stop_expecting();

  /// What was not heard, for another one, and back in one in which the same was set.
  void save(StateRecordWriter& out) const;
  void restore(StateRecordReader& in);

 private:
  struct Wanted {
    SourceFilter filter;
    /// These, and in EXCLUDE mode any source but those that were wanted already.
    SourceList unheard;
    bool unheard_any = false;
    SourceList wanted_already;

    [[nodiscard]] bool is_unheard() const { return unheard_any || !unheard.empty(); }
  };
  void note_heard(Wanted& wanted, const IpAddress& source);

  boost::unordered_flat_map<IpAddress, Wanted> groups_;
  /// Groups with something unheard.
  std::size_t unheard_ = 0;
};

/// Something that is tried a few times, ever more rarely. Pure.
class Retries {
 public:
  Retries(Duration first, unsigned max) : first_(first), max_(max) {}

  /// For other ones, perhaps with another `max`.
  template <typename Io, typename Self>
  static void fields(Io& io, Self& self) {
    io(self.left_, self.wait_);
    io.moments(self.next_, self.last_);
    if constexpr (Io::kReads) self.left_ = std::min(self.left_, self.max_);
  }

  /// From the beginning; never sooner than `first` after the last try.
  void start(Instant now);
  /// Tried.
  void note(Instant now);
  /// Something is under way that may help: wait for it.
  void hold(Instant now);
  [[nodiscard]] Instant next() const { return left_ > 0 ? next_ : kNoDeadline; }

 private:
  Duration first_;
  unsigned max_;
  unsigned left_ = 0;
  Duration wait_{};
  Instant next_;
  Instant last_{};
};

}  // namespace amt
