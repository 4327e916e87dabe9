#include "cli/payload_writer.hh"

#include "sys/clock.hh"

namespace amt {

std::optional<RtpUnwrapper::Mode> unwrapping(RtpChoice choice, const ReceiveOutput& output) {
  switch (choice) {
    case RtpChoice::kStrip:
      return RtpUnwrapper::Mode::kAll;
    case RtpChoice::kKeep:
      return std::nullopt;
    case RtpChoice::kAuto:
      break;
  }
  // Datagrams that are sent again keep their numbers, so that their receiver can put them in order itself.
  if (output.kind == ReceiveOutput::Kind::kUdp) return std::nullopt;
  return RtpUnwrapper::Mode::kTransportStreams;
}

PayloadWriter::PayloadWriter(EventLoop& loop, std::unique_ptr<PayloadOutput> output,
                             std::optional<RtpUnwrapper::Mode> unwrapping, std::optional<std::uint16_t> port,
                             std::function<void(const SysError&)> on_failure)
    : output_(std::move(output)), has_port_(port.has_value()), on_failure_(std::move(on_failure)), timer_(loop, [this] {
        timer_at_ = kNoDeadline;
        hand_on(reception_->handle_timeout(monotonic_now()));
      }) {
  if (unwrapping) reception_.emplace(*unwrapping, port);
}

void PayloadWriter::write(Instant now, std::span<const Payload> packets) {
  if (reception_) {
    datagrams_.clear();
    for (const Payload& packet : packets) datagrams_.push_back({packet.destination.port, packet.octets});
    return hand_on(reception_->handle_datagrams(now, datagrams_));
  }
  payloads_.clear();
  for (const Payload& packet : packets) payloads_.push_back(packet.octets);
  hand_on(payloads_);
}

void PayloadWriter::finish() {
  if (reception_) hand_on(reception_->finish());
}

void PayloadWriter::hand_on(std::span<const Bytes> payloads) {
  if (failed_) return;
  if (!payloads.empty()) {
    if (const SysResult<void> written = output_->write(payloads); !written) {
      failed_ = true;
      return on_failure_(written.error());
    }
  }
  const Instant due = reception_ ? reception_->next_deadline() : kNoDeadline;
  if (due != timer_at_) timer_.set(due);
  timer_at_ = due;
}

}  // namespace amt
