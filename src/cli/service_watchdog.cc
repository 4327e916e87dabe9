#include "cli/service_watchdog.hh"

#include "sys/clock.hh"
#include "sys/service_manager.hh"

namespace amt {

ServiceWatchdog::ServiceWatchdog(EventLoop& loop) : timer_(loop, [this] { on_due(); }) {
  const std::optional<Duration> interval = watchdog_interval();
  if (!interval) return;
  interval_ = *interval;
  on_due();
}

void ServiceWatchdog::on_due() {
  notify_alive();
  timer_.set(monotonic_now() + interval_);
}

}  // namespace amt
