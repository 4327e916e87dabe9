#include "media/pacer.hh"

#include <algorithm>
#include <cmath>

namespace amt {
namespace {

/// PCRs stand at most 100 ms apart (ISO/IEC 13818-1 §2.7.2); more than this is another clock. A live stream would be
/// that much behind.
constexpr std::int64_t kPcrStepMax = kPcrTicksPerSecond / 2;
/// How much waits for the next PCR at most: 9 MB, or 0.75 s at 100 Mbit/s.
constexpr std::size_t kWaitingMax = 50'000;

}  // namespace

TsPacer::TsPacer(std::uint64_t rate_bits_per_second)
    : nanoseconds_per_packet_(1e9 * 8 * kTsPacketOctets / static_cast<double>(rate_bits_per_second)) {}

void TsPacer::time_waiting(Duration span) {
  const std::size_t count = waiting();
  for (std::size_t i = 0; i < count; ++i) {
    const double share = static_cast<double>(i) / static_cast<double>(count);
    queue_[timed_ + i].at = now_ + Duration(std::llround(share * static_cast<double>(span.count())));
  }
  timed_ = queue_.size();
  now_ += span;
}

void TsPacer::finish() {
  if (waiting() > 0) time_waiting(Duration(std::llround(static_cast<double>(waiting()) * nanoseconds_per_packet_)));
}

void TsPacer::release(Duration span) {
  if (waiting() > 0) time_waiting(span);
  pcr_pid_.reset();
  pcr_.reset();
}

void TsPacer::add(Bytes packet) {
  const TsPacketView view = TsPacketView::parse(packet);
  if (view.pcr && !pcr_pid_) pcr_pid_ = view.pid;
  if (view.pcr && view.pid == *pcr_pid_) {
    const std::int64_t step = pcr_ ? (*view.pcr - *pcr_ + kPcrWrap) % kPcrWrap : 0;
    if (waiting() > 0 && step > 0 && step <= kPcrStepMax && !view.discontinuity) {
      const Duration span(step * 1000 / (kPcrTicksPerSecond / 1'000'000));
      nanoseconds_per_packet_ = static_cast<double>(span.count()) / static_cast<double>(waiting());
      time_waiting(span);
    } else if (now_ > Duration::zero() || pcr_) {
      finish();
    } else {
      time_waiting(Duration::zero());  // tables before the first PCR
    }
    pcr_ = view.pcr;
  }
  Paced& paced = queue_.emplace_back();
  std::ranges::copy(packet, paced.packet.begin());
  if (waiting() >= kWaitingMax) {
    finish();
    pcr_.reset();
  }
}

std::optional<TsPacer::Paced> TsPacer::poll() {
  if (timed_ == 0) return std::nullopt;
  const Paced paced = queue_.front();
  queue_.pop_front();
  --timed_;
  return paced;
}

}  // namespace amt
