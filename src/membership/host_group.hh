#pragma once
/// One group of a HostMachine: its filter, and the reports that are still due. Only for this room.

#include <cstdint>
#include <vector>

#include "amt/time.hh"
#include "membership/message.hh"

namespace amt {

/// Pending State-Change and Current-State records of one group (RFC 3376 §5.1, §5.2). Knows no other group, no size
/// limit and no random times.
class HostGroup {
 public:
  [[nodiscard]] const SourceFilter& filter() const { return filter_; }
  /// Neither state nor anything left to say.
  [[nodiscard]] bool is_done() const { return filter_.is_nothing() && !has_change_records() && !has_response(); }
  [[nodiscard]] Instant deadline() const;

  /// The filter is now another one: to be reported at `now`, and `robustness` times in all.
  void change(Instant now, const SourceFilter& filter, std::uint8_t robustness);
  /// The filter changes, and no report becomes due.
  void change_silently(const SourceFilter& filter) { filter_ = filter; }
  /// To be reported at `now`, once, as if the mode had changed.
  void restate(Instant now);
  void forget_pending();
  /// No record will be repeated more often than this.
  void limit_repeats(std::uint8_t robustness);

  [[nodiscard]] bool has_change_records() const { return change_due_ != kNoDeadline; }
  /// When they are due: appends the State-Change records of one transmission, and schedules the next one, if any, at
  /// `repeat_at`.
  void take_change_records(Instant now, Instant repeat_at, const IpAddress& group, std::vector<GroupRecord>& out);

  [[nodiscard]] bool has_response() const { return response_due_ != kNoDeadline; }
  /// A Group-Specific or Group-and-Source-Specific Query to be answered at `due` or sooner.
  void ask(Instant due, const SourceList& sources);
  /// When it is due: appends the answer to specific queries.
  void take_response(Instant now, const IpAddress& group, std::vector<GroupRecord>& out);

  /// The answer to a General Query.
  [[nodiscard]] GroupRecord current_state(const IpAddress& group) const;

  /// See base/state_record.hh. Answers to specific queries are left out: those ask again.
  template <typename Io, typename Self>
  static void fields(Io& io, Self& self) {
    io(self.filter_, self.mode_changes_left_, self.changed_, self.change_due_);
  }
  /// Whether what was read can be, in a machine whose repeats are due by `latest`.
  [[nodiscard]] bool is_possible(Family family, Instant latest) const;

 private:
  /// A source whose state changed, until `left` more State-Change reports have gone.
  struct ChangedSource {
    IpAddress address;
    std::uint8_t left = 0;

    template <typename Io, typename Self>
    static void fields(Io& io, Self& self) {
      io(self.address, self.left);
    }
  };

  SourceFilter filter_;
  /// Filter-Mode-Change records still to be sent.
  std::uint8_t mode_changes_left_ = 0;
  /// Ascending.
  std::vector<ChangedSource> changed_;
  Instant change_due_ = kNoDeadline;
  Instant response_due_ = kNoDeadline;
  /// Empty: the whole state is asked for.
  SourceList response_sources_;
};

}  // namespace amt
