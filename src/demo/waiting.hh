#pragma once
/// Waiting that ends: at the event, at a deadline, or when the person has had enough.

#include <functional>
#include <string>

#include "amt/time.hh"
#include "demo/failure.hh"

namespace amt {

/// While it lives, SIGINT, SIGTERM, SIGHUP and an end of the output's reader are recorded and do not end the process,
/// so that everything is cleaned up. One at a time.
class StopSignals {
 public:
  StopSignals();
  ~StopSignals();
  StopSignals(const StopSignals&) = delete;
  StopSignals& operator=(const StopSignals&) = delete;
};

/// Since the last `StopSignals` began.
[[nodiscard]] bool stop_requested();

/// Asks `done` every few milliseconds. Failure: `what` did not happen within `timeout`, or a stop was requested.
[[nodiscard]] DemoResult<void> wait_for(const std::string& what, Duration timeout, const std::function<bool()>& done);

}  // namespace amt
