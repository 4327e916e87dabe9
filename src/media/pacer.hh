#pragma once
/// The schedule of sending.

#include <array>
#include <cstdint>
#include <deque>
#include <optional>
#include <vector>

#include "amt/time.hh"
#include "media/transport_stream.hh"

namespace amt {

/// Turns offsets from the start into times, absolute, so that the rate does not drift. A sender that was held up
/// catches up by `lateness_max` at most, in a burst no longer than that; the rest of the delay moves the schedule.
/// Nothing is held back for more than `hold_max`; an offset further ahead moves the schedule, too.
class Schedule {
 public:
  explicit Schedule(Instant start, Duration hold_max = Duration::max()) : start_(start), hold_max_(hold_max) {}

  /// When the thing that is due `offset` after the start is to be sent; in the past: at once.
  Instant due(Duration offset, Instant now, Duration lateness_max) {
    const Duration late = now - (start_ + offset);
    if (late > lateness_max) start_ += late - lateness_max;
    if (-late > hold_max_) start_ -= -late - hold_max_;
    return start_ + offset;
  }

 private:
  Instant start_;
  Duration hold_max_;
};

/// Gives every packet of a transport stream its time by the stream's own clock: packets between two PCRs (of the first
/// PID that has one) are spread evenly. Where the clock is missing or jumps, the last rate goes on.
class TsPacer {
 public:
  /// `rate_bits_per_second`: until the stream's own rate is known.
  explicit TsPacer(std::uint64_t rate_bits_per_second);

  void add(Bytes packet);
  /// The stream ends: octets that wait for the next PCR are due at the last rate.
  void finish();
  /// Octets that wait for the next PCR have come within `span` and wait no longer: they are spread over as much time.
  /// The clock is looked for again, in any PID.
  void release(Duration span);
  /// Packets that wait for the next PCR.
  [[nodiscard]] std::size_t waiting() const { return queue_.size() - timed_; }

  struct Paced {
    std::array<std::byte, kTsPacketOctets> packet;
    Duration at{};  ///< after the start; never less than before
  };
  /// The next packet whose time is known; nothing: add more.
  std::optional<Paced> poll();

 private:
  void time_waiting(Duration span);
  std::deque<Paced> queue_;
  std::size_t timed_ = 0;  ///< of `queue_`, from its front
  Duration now_{};         ///< the time of the next packet without a time
  std::optional<std::uint16_t> pcr_pid_;
  std::optional<std::int64_t> pcr_;
  double nanoseconds_per_packet_;
};

}  // namespace amt
