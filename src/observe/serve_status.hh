#pragma once
/// The status of a running `amt serve`.

#include <span>
#include <string>

#include "amt/time.hh"
#include "engine/serve/stream_service.hh"
#include "observe/metrics_text.hh"
#include "sap/session_directory.hh"

namespace amt {

/// Requests that were refused, by reason.
struct ServeRefusals {
  std::uint64_t bad_path = 0;      ///< 400
  std::uint64_t foreign_page = 0;  ///< 403, a page of another site
  std::uint64_t not_allowed = 0;   ///< 403, by address
  std::uint64_t no_token = 0;      ///< 401
  std::uint64_t not_found = 0;     ///< 404
  std::uint64_t nothing_came = 0;  ///< 504
};

struct ServeStatus {
  Duration uptime{};
  const StreamService* service = nullptr;
  std::size_t list_entries = 0;                 ///< of the playlist
  const SessionDirectory* announced = nullptr;  ///< none: announcements are not heard
  ServeRefusals refusals{};
};

/// One object: `role` "serve", `version`, `uptime_seconds`, `viewers`, `playlist_entries`, `channels`, `counters`;
/// where announcements are heard also `announced`, with `entries` and its own `counters`.
[[nodiscard]] std::string serve_status_json(const ServeStatus& status, Instant now);
/// An entry of the playlist that is a channel.
struct ListedChannel {
  std::string channel{};  ///< SOURCE@GROUP:PORT
  std::string name{};
  std::string group_title{};
};
/// For the page: an array of the list's channels, and of those that are received besides.
[[nodiscard]] std::string serve_channels_json(const ServeStatus& status, std::span<const ListedChannel> listed,
                                              Instant now);
/// `amt_serve_...`; never a series for a viewer.
[[nodiscard]] std::string serve_metrics(const ServeStatus& status, Instant now, MetricsFormat format);

}  // namespace amt
