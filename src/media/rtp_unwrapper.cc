#include "media/rtp_unwrapper.hh"

#include <algorithm>

#include "media/transport_stream.hh"

namespace amt {
void RtpUnwrapper::wait_for_repair(Duration window, std::size_t packets) {
  window_ = window;
  span_max_ = static_cast<std::int64_t>(std::min(packets, kSpanMax));
}

void RtpUnwrapper::begin_batch() {
  ready_.clear();
  released_.clear();
}

std::span<const Bytes> RtpUnwrapper::handle_datagrams(Instant now, std::span<const Bytes> datagrams) {
  begin_batch();
  for (const Bytes datagram : datagrams) add(now, datagram);
  return ready_;
}

std::span<const Bytes> RtpUnwrapper::handle_timeout(Instant now) {
  begin_batch();
  while (next_deadline() <= now) skip_gap();
  return ready_;
}

std::span<const Bytes> RtpUnwrapper::finish() {
  begin_batch();
  while (!held_.empty()) skip_gap();
  return ready_;
}

Instant RtpUnwrapper::next_deadline() const {
  // The one that has waited longest: gaps before it are not waited for any more then.
  return arrivals_.empty() ? kNoDeadline : arrivals_.front().at + window_;
}

void RtpUnwrapper::add(Instant now, Bytes datagram) {
  const std::optional<RtpPacketView> packet = RtpPacketView::parse(datagram);
  const bool is_media = packet && (mode_ == Mode::kAll || is_transport_stream(packet->payload));
  if (is_media) return add_in_stream(now, *packet, packet->payload);
  if (packet && source_ == packet->source) {
    // Padding, or a repair packet of the same source: its number counts, its payload is no media.
    ++counts_.other;
    return add_in_stream(now, *packet, {});
  }
  // Anything else in the midst of a transport stream would have a player lose its synchronisation.
  if (source_ && mode_ == Mode::kTransportStreams && !is_transport_stream(datagram)) {
    ++counts_.other;
    return;
  }
  ready_.push_back(datagram);
}

void RtpUnwrapper::restart(const RtpPacketView& packet) {
  while (!held_.empty()) skip_gap();
  source_ = packet.source;
  seen_ = SequenceTracker(16);
  expected_ = packet.sequence;
}

bool RtpUnwrapper::is_of_the_run(std::uint16_t sequence) const {
  // Far behind the gap that is waited for there may be much already.
  const std::int64_t highest = held_.empty() ? expected_ : held_.rbegin()->first;
  return !is_rtp_jump(sequence, static_cast<std::uint16_t>(expected_)) ||
         !is_rtp_jump(sequence, static_cast<std::uint16_t>(highest));
}

void RtpUnwrapper::add_in_stream(Instant now, const RtpPacketView& packet, Bytes payload) {
  if (source_ != packet.source || !is_of_the_run(packet.sequence)) restart(packet);
  const auto step = static_cast<std::int16_t>(packet.sequence - static_cast<std::uint16_t>(expected_));
  const std::int64_t number = expected_ + step;
  if (seen_.add(packet.sequence) == SequenceTracker::Verdict::kDuplicate) {
    ++counts_.duplicates;
    return;
  }
  if (step < 0) {
    ++counts_.late;
    return;
  }
  if (step == 0) {
    if (!payload.empty()) ready_.push_back(payload);
    ++expected_;
    return release_until_gap();
  }
  held_.emplace(number, std::vector<std::byte>(payload.begin(), payload.end()));
  arrivals_.push_back({number, now});
  while (!held_.empty() && (held_.size() > kHeldMax || held_.rbegin()->first - expected_ > span_max_)) skip_gap();
}

void RtpUnwrapper::release_until_gap() {
  while (!held_.empty() && held_.begin()->first == expected_) {
    auto first = held_.extract(held_.begin());
    if (!first.mapped().empty()) {
      released_.push_back(std::move(first.mapped()));
      ready_.emplace_back(released_.back());
    }
    ++expected_;
  }
  while (!arrivals_.empty() && arrivals_.front().number < expected_) arrivals_.pop_front();
}

void RtpUnwrapper::skip_gap() {
  expected_ = held_.begin()->first;
  release_until_gap();
}

}  // namespace amt
