#pragma once
/// All events of a running relay, on their way to the event file.

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/counters.hh"
#include "engine/relay/relay_engine.hh"
#include "engine/runtime/event_loop.hh"
#include "observe/event_log.hh"
#include "observe/refused_counts.hh"

namespace amt {

/// Joins a relay and its event file. Made before the engine, and ends after it. Lives on the control thread.
class RelayEvents {
 public:
  RelayEvents(EventLoop& loop, LineOutput output);
  RelayEvents(const RelayEvents&) = delete;
  RelayEvents& operator=(const RelayEvents&) = delete;

  /// Any thread: see `RelayEventSink`.
  void add(std::vector<RelayEvent> events, bool at_end);
  /// "upstream".
  void add(const UpstreamOwner::Change& change);
  /// Refusals are reported from now on. `engine` lives until `finish` has been called.
  void watch(const RelayEngine& engine);
  /// "reload", "drain", "take-over", "hand-over": see `named_event`.
  void add(std::string_view name, const std::vector<std::pair<std::string_view, std::string>>& fields);
  /// See `EventLog::replace`.
  void replace(LineOutput output) { log_.replace(std::move(output)); }
  /// After the engine's shutdown: reports the remaining refusals.
  void finish();

  [[nodiscard]] std::uint64_t lost() const { return log_.lost(); }

 private:
  [[nodiscard]] Counters<RelayReject> rejects() const;
  void add_refused(const std::vector<RefusedCounts::Refused>& refused);
  void on_second();

  EventLog log_;
  RefusedCounts refused_;
  const RelayEngine* engine_ = nullptr;
  Timer second_;
};

}  // namespace amt
