#pragma once
/// Reports changes of this host's interfaces to objects that depend on them.

#include <functional>
#include <optional>

#include "engine/runtime/loop.hh"
#include "sys/network_watch.hh"

namespace amt {

/// Calls its handler at once after a change, and then at most once in `kCalm`: changes come in bursts, and each look at
/// the interfaces costs some system calls. Lives on its loop's thread.
class NetworkEvents {
 public:
  static constexpr Duration kCalm = std::chrono::milliseconds(100);

  NetworkEvents(Loop& loop, std::function<void()> on_change);
  /// Error: changes go unnoticed.
  [[nodiscard]] SysResult<void> start();
  void stop();

 private:
  void on_readable();
  void on_timer();

  Loop& loop_;
  std::function<void()> on_change_;
  std::optional<NetworkWatch> network_;
  Instant last_told_{};
  Timer timer_;
  // Last: it ends before the members that its handler uses.
  std::optional<ReadWatch> watch_;
};

}  // namespace amt
