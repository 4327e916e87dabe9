#pragma once
/// Sheds load when more comes in than the relay can send, so that no channel starves another.

#include <cstdint>
#include <functional>
#include <vector>

#include "amt/ip_address.hh"
#include "amt/time.hh"
#include "ip/captured.hh"

namespace amt {

/// Without it, an overloaded relay's capture buffer is always full: packets of all channels are dropped there, and the
/// others wait for a second. So, once turns have been too long for a while, and packets were waiting at the end of
/// each, a turn takes all waiting packets. It keeps as many as can be sent in a short time, shared fairly over the
/// channels (max-min, by copies), and drops the rest. A burst is no overload: it is over soon, and then no packet
/// waits.
///
/// Costs nothing while there is no overload. Owned by one worker, not thread-safe.
class OverloadGuard {
 public:
  /// A turn begins. How many datagrams it may take.
  [[nodiscard]] std::size_t begin_turn(Instant now);

  /// Copies that a datagram of this channel makes.
  using CopiesOf = std::function<std::size_t(const IpAddress& source, const IpAddress& group)>;
  /// Under overload removes the packets above their channel's share from `batch`; the order of the rest stays. Returns
  /// the number removed.
  std::size_t shed(std::vector<CapturedDatagram>& batch, const CopiesOf& copies_of);

  /// The packets in the capture buffer when a turn is over; many: `kManyWaiting` datagrams, or more.
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
