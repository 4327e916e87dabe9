#pragma once
/// The paths under which a running relay or gateway can be looked at.

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "amt/result.hh"
#include "observe/health.hh"
#include "observe/history.hh"
#include "observe/http_message.hh"
#include "observe/metrics_text.hh"
#include "observe/status_query.hh"
#include "observe/status_stream.hh"

namespace amt {

/// The views of a daemon. Called on the thread of its HTTP servers.
struct HttpViews {
  /// Error: the mistake in the query, for the client.
  std::function<Result<std::unique_ptr<StatusStream>, std::string>(const StatusQuery&)> status;
  /// Delivers the text, at once or later.
  std::function<void(MetricsFormat format, std::function<void(std::string text)> done)> metrics;
  std::function<void(HealthDone done)> health;
  /// Why no new client should be sent here although all is well ("draining"); none: let them come.
  std::function<std::optional<std::string>()> not_ready;
  std::function<std::string(History::Span span, std::uint64_t after)> history;
};

/// `/status.json`, `/metrics`, `/healthz`, `/readyz`: for programs; `/` and its files: for people.
[[nodiscard]] HttpRoutes make_http_routes(const HttpViews& views);

}  // namespace amt
