#pragma once
#include "engine/runtime/event_loop.hh"

namespace amt {

/// While it lives, systemd hears from the loop that it still turns, if systemd wants to (WatchdogSec=); one that is
/// stuck is restarted. Lives on the loop's thread.
class ServiceWatchdog {
 public:
  explicit ServiceWatchdog(EventLoop& loop);

 private:
  void on_due();

  Duration interval_{};
  Timer timer_;
};

}  // namespace amt
