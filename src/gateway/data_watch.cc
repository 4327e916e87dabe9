#include "gateway/data_watch.hh"

#include <algorithm>

namespace amt {

void DataWatch::handle_packet(Instant now) {
  if (packets_ > 0) {
    // A pause that our own refresh ended says something about the relay, nothing about the source.
    const bool mended = last_refresh_ > last_packet_ && now - last_refresh_ < silence_;
    if (!mended) {
      if (now - window_start_ > kWindow) {
        longest_before_ = longest_;
        longest_ = Duration::zero();
        window_start_ = now;
      }
      longest_ = std::max(longest_, std::min(now - last_packet_, kPauseMax));
    }
  } else {
    window_start_ = now;
  }
  last_packet_ = now;
  asked_ = 0;
  if (packets_ < kFlowPackets) ++packets_;
}

void DataWatch::handle_refresh(Instant now) { last_refresh_ = now; }

void DataWatch::note_asked(Instant now, Duration interval_max) {
  ++asked_;
  Duration wait = patience();
  for (std::uint32_t k = 0; k < asked_ && wait <= interval_max; ++k) wait *= 2;
  ask_again_ = wait <= interval_max ? now + wait : kNoDeadline;
}

void DataWatch::reset() { *this = DataWatch(silence_); }

Duration DataWatch::patience() const { return std::max(silence_, 4 * std::max(longest_, longest_before_)); }

Instant DataWatch::ask_at() const {
  if (!is_flow()) return kNoDeadline;
  const Instant due = asked_ > 0 ? ask_again_ : last_packet_ + patience();
  return std::max(due, last_refresh_ + silence_);
}

}  // namespace amt
