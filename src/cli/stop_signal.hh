#pragma once
/// SIGINT and SIGTERM for subcommands that are one plain loop.

#include "amt/time.hh"
#include "sys/error.hh"
#include "sys/unique_fd.hh"

namespace amt {

/// Takes both signals out of their usual way (process-wide, from `create` on) and shows them as a descriptor.
class StopSignal {
 public:
  static SysResult<StopSignal> create();

  /// Waits until then. True: a signal came; it stays, later calls return at once.
  [[nodiscard]] bool wait_until(Instant until) const;
  /// Waits until `fd` can be read. True: a signal came instead.
  [[nodiscard]] bool wait_readable(int fd) const;

 private:
  explicit StopSignal(UniqueFd fd) : fd_(std::move(fd)) {}
  UniqueFd fd_;
};

}  // namespace amt
