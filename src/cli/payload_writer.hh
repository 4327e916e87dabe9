#pragma once
/// From received packets to the output of `amt receive`: RTP headers taken off where that is wanted, late packets in
/// order.

#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "cli/receive_output.hh"
#include "engine/gateway/receiver.hh"
#include "engine/runtime/event_loop.hh"
#include "media/rtp_reception.hh"

namespace amt {

/// Which RTP headers a payload loses on its way to `output`; none: all stay.
[[nodiscard]] std::optional<RtpUnwrapper::Mode> unwrapping(RtpChoice choice, const ReceiveOutput& output);

/// Lives on its event loop's thread.
class PayloadWriter {
 public:
  /// `on_failure`: the output is gone; nothing is written any more. `port`: of the media; none: any port.
  PayloadWriter(EventLoop& loop, std::unique_ptr<PayloadOutput> output, std::optional<RtpUnwrapper::Mode> unwrapping,
                std::optional<std::uint16_t> port, std::function<void(const SysError&)> on_failure);

  /// Packets of that destination port are for `write`: of the media, or its repair.
  [[nodiscard]] bool takes(std::uint16_t port) const { return !reception_ || reception_->takes(port); }
  /// Repair packets are of use: RTP headers are taken off, and the port of the media is known.
  [[nodiscard]] bool takes_repair() const { return reception_ && has_port_; }

  void write(Instant now, std::span<const Payload> packets);
  /// No data comes any more: packets that wait for their predecessors are written.
  void finish();

  /// Payloads that the output was too slow to take.
  [[nodiscard]] std::uint64_t dropped() const { return output_->dropped(); }
  /// Packets that came so late that they could not be put in order.
  [[nodiscard]] std::uint64_t late() const { return reception_ ? reception_->counts().late : 0; }
  /// Packets that were lost, and made anew.
  [[nodiscard]] std::uint64_t repaired() const { return reception_ ? reception_->repaired() : 0; }

 private:
  void hand_on(std::span<const Bytes> payloads);

  std::unique_ptr<PayloadOutput> output_;
  std::optional<RtpReception> reception_;
  bool has_port_;
  std::function<void(const SysError&)> on_failure_;
  bool failed_ = false;
  std::vector<Bytes> payloads_;
  std::vector<RtpReception::Datagram> datagrams_;
  Instant timer_at_ = kNoDeadline;
  Timer timer_;
};

}  // namespace amt
