#pragma once
/// SIGINT, SIGTERM and SIGHUP for subcommands that are one plain loop.

#include <cstdint>

#include "amt/time.hh"
#include "sys/error.hh"
#include "sys/unique_fd.hh"

namespace amt {

/// Takes the signals out of their usual way (process-wide, from `create` on) and shows them as a descriptor.
class StopSignal {
 public:
  static SysResult<StopSignal> create();

  /// Waits until then. True: a signal came; it stays, later calls return at once.
  [[nodiscard]] bool wait_until(Instant until) const;
  enum class Waited : std::uint8_t { kReadable, kStop, kTimeout };
  /// Waits until `fd` can be read, a signal comes, or it is `until` (`kNoDeadline`: for ever).
  [[nodiscard]] Waited wait_readable(int fd, Instant until) const;

 private:
  explicit StopSignal(UniqueFd fd) : fd_(std::move(fd)) {}
  UniqueFd fd_;
};

}  // namespace amt
