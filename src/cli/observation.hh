#pragma once
/// The servers by which a daemon is looked at: its control socket, and HTTP where that is wanted.

#include <optional>
#include <string>

#include "config/config.hh"
#include "engine/runtime/event_loop.hh"
#include "observe/http_listen.hh"

namespace amt {

struct Observation {
  std::optional<HttpListener> control;
  std::optional<HttpListener> http;
};

/// `role`: "relay" or "gateway". `control_routes`: those of the control socket, with commands; `routes`: those of HTTP.
/// Logs where the page is.
[[nodiscard]] SysResult<Observation> observe(EventLoop& loop, const ObserveConfig& config, const std::string& role,
                                             const HttpRoutes& control_routes, const HttpRoutes& routes);

}  // namespace amt
