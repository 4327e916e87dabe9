#include "engine/runtime/network_events.hh"

#include "sys/clock.hh"

namespace amt {

NetworkEvents::NetworkEvents(Loop& loop, std::function<void()> on_change)
    : loop_(loop), on_change_(std::move(on_change)), timer_(loop, [this] { on_timer(); }) {}

SysResult<void> NetworkEvents::start() {
  SysResult<NetworkWatch> opened = NetworkWatch::open(NetworkWatch::Of::kInterfaces);
  if (!opened) return Unexpected<SysError>(opened.error());
  network_.emplace(std::move(*opened));
  watch_.emplace(loop_, network_->fd(), [this] { on_readable(); });
  return {};
}

void NetworkEvents::stop() {
  watch_.reset();
  timer_.set(kNoDeadline);
}

void NetworkEvents::on_readable() {
  network_->drain();
  if (timer_.is_set()) return;
  const Instant now = monotonic_now();
  if (now < last_told_ + kCalm) return timer_.set(last_told_ + kCalm);
  on_timer();
}

void NetworkEvents::on_timer() {
  last_told_ = monotonic_now();
  on_change_();
}

}  // namespace amt
