#pragma once
/// The servers by which a daemon is looked at: its control socket, and HTTP where that is wanted.

#include <optional>
#include <string>
#include <vector>

#include "config/config.hh"
#include "engine/runtime/event_loop.hh"
#include "observe/http_listen.hh"
#include "sys/unique_fd.hh"

namespace amt {

/// Their sockets, before the servers run.
struct ObservationPlaces {
  std::optional<HttpPlace> control{};
  std::optional<HttpPlace> http{};

  /// Of UNIX sockets, whose files go at the end.
  [[nodiscard]] std::vector<std::string> paths() const;
};

struct Observation {
  std::optional<HttpListener> control;
  std::optional<HttpListener> http;
};

/// `role`: "relay" or "gateway". Before privileges are given up.
[[nodiscard]] SysResult<ObservationPlaces> bind_observation(const ObserveConfig& config, const std::string& role);
/// The same with sockets that another process has listened on, as far as they are at the places of `config`.
struct GivenListeners {
  std::optional<UniqueFd> control{};
  std::optional<UniqueFd> http{};
};
[[nodiscard]] SysResult<ObservationPlaces> adopt_observation(const ObserveConfig& config, const std::string& role,
                                                             GivenListeners given);

/// `control_routes`: those of the control socket, with commands; `routes`: those of HTTP. Logs where the page is.
[[nodiscard]] Observation observe(EventLoop& loop, ObservationPlaces places, const ObserveConfig& config,
                                  const HttpRoutes& control_routes, const HttpRoutes& routes);

}  // namespace amt
