#pragma once
/// What a relay does when more comes in than it can send: nobody's channel starves for another's sake.

#include <cstdint>
#include <functional>
#include <vector>

#include "amt/ip_address.hh"
#include "amt/time.hh"
#include "ip/captured.hh"

namespace amt {

/// Left alone, an overloaded relay's capture buffer is always full: what comes is dropped there whatever its channel,
/// and what is not waits for a second behind the rest. So, once turns have been too long for a while, and packets
/// were waiting at the end of each, each takes all that is waiting, keeps what can be sent in a short time, shared out
/// fairly over the channels (max-min, by copies), and drops the rest of those that want more than that. A burst is no
/// overload: it is over soon, and then nothing waits.
///
/// Costs nothing while there is no overload. Owned by one worker, not thread-safe.
class OverloadGuard {
 public:
  /// A turn begins. How many datagrams it may take.
  [[nodiscard]] std::size_t begin_turn(Instant now);

  /// Copies that a datagram of this channel makes.
  using CopiesOf = std::function<std::size_t(const IpAddress& source, const IpAddress& group)>;
  /// Under overload removes from `batch` what is more than its channel's share; the order of the rest stays. How many.
  std::size_t shed(std::vector<CapturedDatagram>& batch, const CopiesOf& copies_of);

  /// What is in the capture buffer when a turn is over; many: `kManyWaiting` datagrams, or more.
  enum class Waiting : std::uint8_t { kNone, kFew, kMany };
  static constexpr std::size_t kManyWaiting = 1024;
  /// It is over: how many datagrams it took from the capture buffer, and how many copies it sent.
  void end_turn(Instant now, std::size_t datagrams, std::uint64_t copies, Waiting waiting);

  [[nodiscard]] bool is_overloaded() const { return overloaded_; }

 private:
  bool overloaded_ = false;
  Instant began_{};
  std::size_t datagrams_max_ = 0;
  /// Since when each turn has been too long; `kNoDeadline`: the last was not.
  Instant long_since_ = kNoDeadline;
  /// While sending; 0: not known yet.
  double copies_per_second_ = 0;
  double copies_each_ = 0;
};

}  // namespace amt
