#pragma once
/// The event file of a relay.

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "observe/line_output.hh"
#include "relay/relay_event.hh"
#include "sys/error.hh"

namespace amt {

/// Takes events from all threads of a relay, and writes them by a thread of its own: no thread of the relay waits for a
/// disk or a reader. Events that cannot be written yet, because the disk or a pipe is full, stay and are tried again.
/// Bounded: events above `events_waiting_max` are lost and counted, and the file says so when it can be written again.
class EventLog {
 public:
  /// About 100 octets each.
  static constexpr std::size_t kEventsWaitingMax = std::size_t{1} << 20;

  explicit EventLog(LineOutput output, std::size_t events_waiting_max = kEventsWaitingMax);
  /// Waiting events are written, unless the output takes nothing.
  ~EventLog();
  EventLog(const EventLog&) = delete;
  EventLog& operator=(const EventLog&) = delete;

  /// Any thread; never waits. The events of one thread keep their order.
  void add(std::vector<RelayEvent> events);
  /// A line that is made already, with its line feed.
  void add(std::string line);
  /// From now on lines go there, from a whole line on; the output before is closed. Any thread.
  void replace(LineOutput output);
  /// A thread that adds events from now on writes them itself, and may wait for the output: for the end of the relay,
  /// which ends very many tunnels at once. When no other thread adds any.
  void begin_end();

  /// Since the start. Any thread.
  [[nodiscard]] std::uint64_t lost() const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace amt
