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
                             std::optional<RtpUnwrapper::Mode> unwrapping,
                             std::function<void(const SysError&)> on_failure)
    : output_(std::move(output)), on_failure_(std::move(on_failure)), timer_(loop, [this] {
        timer_at_ = kNoDeadline;
        hand_on(unwrapper_->handle_timeout(monotonic_now()));
      }) {
  if (unwrapping) unwrapper_.emplace(*unwrapping);
}

void PayloadWriter::write(Instant now, std::span<const Payload> packets) {
  payloads_.clear();
  for (const Payload& packet : packets) payloads_.push_back(packet.octets);
  hand_on(unwrapper_ ? unwrapper_->handle_datagrams(now, payloads_) : payloads_);
}

void PayloadWriter::finish() {
  if (unwrapper_) hand_on(unwrapper_->finish());
}

void PayloadWriter::hand_on(std::span<const Bytes> payloads) {
  if (failed_) return;
  if (!payloads.empty()) {
    if (const SysResult<void> written = output_->write(payloads); !written) {
      failed_ = true;
      return on_failure_(written.error());
    }
  }
  const Instant due = unwrapper_ ? unwrapper_->next_deadline() : kNoDeadline;
  if (due != timer_at_) timer_.set(due);
  timer_at_ = due;
}

}  // namespace amt
