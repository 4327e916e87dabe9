#pragma once
/// Notices that data which had been flowing stopped (GatewayOptions::silence).

#include <algorithm>
#include <cstdint>

#include "amt/time.hh"

namespace amt {

/// Learns how long the pauses between packets are, and says when a pause is long enough to ask the relay about it
/// (R-5.2.3.5.4-k). While nothing comes it says so again after 2, 4, 8 ... times as long, up to `interval_max`; after
/// that the periodic Request does the work. Pure; `handle_packet` is on the data path.
class DataWatch {
 public:
  explicit DataWatch(Duration silence) : silence_(silence) {}

  void handle_packet(Instant now);
  /// A Query was accepted and an Update followed: give the data time to come.
  void handle_refresh(Instant now);
  /// An early Request was sent.
  void note_asked(Instant now, Duration interval_max);
  /// The flow is no longer wanted: learn again.
  void reset();

  /// See base/state_record.hh.
  template <typename Io, typename Self>
  static void fields(Io& io, Self& self) {
    io(self.packets_, self.asked_, self.ask_again_, self.longest_, self.longest_before_);
    io.moments(self.last_packet_, self.last_refresh_, self.window_start_);
    if constexpr (Io::kReads) {
      if (self.packets_ > kFlowPackets || std::max(self.longest_, self.longest_before_) > kPauseMax) io.fail();
    }
  }

  [[nodiscard]] Instant ask_at() const;
  [[nodiscard]] bool is_heard() const { return packets_ > 0; }
  /// Enough packets have come that a pause would be noticed.
  [[nodiscard]] bool is_flow() const { return packets_ >= kFlowPackets; }

 private:
  /// The packets that make a flow.
  static constexpr std::uint32_t kFlowPackets = 3;
  /// A pause is remembered for one to two windows.
  static constexpr Duration kWindow = std::chrono::seconds(30);

  /// A longer interval comes from a machine that slept, from a clock that jumped, or from a source that sends too
  /// rarely to wait for.
  static constexpr Duration kPauseMax = std::chrono::seconds(16);

  /// A pause this short is no reason to ask.
  [[nodiscard]] Duration patience() const;

  Duration silence_;
  std::uint32_t packets_ = 0;
  std::uint32_t asked_ = 0;
  Instant last_packet_;
  Instant last_refresh_;
  Instant ask_again_ = kNoDeadline;
  Instant window_start_;
  Duration longest_ = Duration::zero();
  Duration longest_before_ = Duration::zero();
};

}  // namespace amt
