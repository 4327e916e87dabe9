#pragma once
/// The lines of the event file (`--events`): one JSON object each, with a line feed.

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "amt/time.hh"
#include "engine/relay/upstream_owner.hh"
#include "relay/relay_event.hh"
#include "sys/clock.hh"

namespace amt {

/// From the clock of `Instant`s to the time of day, as both stood at one moment.
struct WallClock {
  Instant monotonic{};
  WallTime wall{};

  [[nodiscard]] WallTime at(Instant instant) const {
    return wall + std::chrono::duration_cast<WallTime::duration>(instant - monotonic);
  }
};

/// RFC 3339, UTC, with milliseconds.
[[nodiscard]] std::string to_rfc3339(WallTime time);

/// Appends to `out`; of a flow nothing.
void append_event(std::string& out, const RelayEvent& event, const WallClock& clock);

/// "refused": `count` more of one reject counter.
[[nodiscard]] std::string refused_event(WallTime at, RelayReject reason, std::uint64_t count);
/// "upstream".
[[nodiscard]] std::string upstream_event(WallTime at, const UpstreamOwner::Change& change);
/// "reload", "drain" and other events of a name and a few texts: `fields` are keys and values.
[[nodiscard]] std::string named_event(WallTime at, std::string_view name,
                                      const std::vector<std::pair<std::string_view, std::string>>& fields);
/// "lost": the number of events that could not be kept.
[[nodiscard]] std::string lost_event(WallTime at, std::uint64_t count);

}  // namespace amt
