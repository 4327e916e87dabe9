#pragma once
/// `--announce COMMAND`: reports to a routing daemon whether this relay wants gateways.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "amt/time.hh"
#include "engine/runtime/event_loop.hh"
#include "sys/command_helper.hh"
#include "sys/error.hh"

namespace amt {

/// Runs the command with one argument, the state: "ready", "unhealthy", "drain" or "stop". One at a time; of states
/// that come while it runs only the last is announced, after it. It is killed after `kPatience`. A failure is a
/// warning. A relay that dies without `finish` (SIGKILL, a crash) is announced as stopped all the same; one that hands
/// over to another process is not: this object is destroyed then. Lives on its event loop's thread, which never waits
/// but in `finish`.
class Announcer {
 public:
  static constexpr Duration kPatience = std::chrono::seconds(30);

  /// Without a command nothing is ever run.
  Announcer(EventLoop& loop, std::optional<std::string> command);

  /// Starts the helper that runs the command, with the privileges that this process has now; before there are other
  /// threads.
  SysResult<void> open();
  /// Nothing where that was the last state.
  void announce(std::string_view state);
  /// Announces "stop", and waits `at_most` until that has been announced.
  void finish(Duration at_most);

 private:
  void start();
  void end(const CommandHelper::Ended& ended);
  void look();
  void warn(const std::string& what) const;

  std::optional<std::string> command_;
  std::string announced_;
  std::string running_state_;
  std::optional<std::string> next_;
  std::optional<CommandHelper> helper_;
  bool is_running_ = false;
  bool is_killed_ = false;
  Instant kill_at_{};
  Timer timer_;
};

}  // namespace amt
