#include "cli/observation.hh"

#include <utility>

#include "sys/log.hh"

namespace amt {
namespace {

void log_place(const ListenPlace& place) {
  if (const auto* const path = std::get_if<std::string>(&place)) return log_info("HTTP at unix:{}", *path);
  const Endpoint& endpoint = std::get<Endpoint>(place);
  log_info("status page: http://{}/", endpoint.to_string());
  if (!endpoint.address.is_loopback()) {
    log_warn("whoever reaches {} can see who watches what; a firewall should say who may", endpoint.to_string());
  }
}

/// The places that are not there yet.
SysResult<ObservationPlaces> bind_missing(const ObserveConfig& config, const std::string& role,
                                          ObservationPlaces places) {
  if (!places.control) {
    SysResult<std::optional<HttpPlace>> control = bind_control(role, config.control);
    if (!control) return Unexpected<SysError>(control.error());
    if (*control) places.control.emplace(std::move(**control));
  }
  if (!config.http || places.http) return places;
  SysResult<HttpPlace> http = bind_http(*config.http);
  if (!http) return Unexpected<SysError>(http.error());
  places.http.emplace(std::move(*http));
  return places;
}

}  // namespace

std::vector<std::string> ObservationPlaces::paths() const {
  std::vector<std::string> paths;
  for (const std::optional<HttpPlace>* const place : {&control, &http}) {
    if (*place && (*place)->file) paths.push_back((*place)->file->path());
  }
  return paths;
}

SysResult<ObservationPlaces> bind_observation(const ObserveConfig& config, const std::string& role) {
  return bind_missing(config, role, {});
}

SysResult<ObservationPlaces> adopt_observation(const ObserveConfig& config, const std::string& role,
                                               GivenListeners given) {
  ObservationPlaces places;
  if (given.control) {
    SysResult<HttpPlace> control = adopt_control(std::move(*given.control));
    const bool is_there = control && (!config.control || control->file->path() == *config.control);
    if (is_there) places.control.emplace(std::move(*control));
  }
  if (config.http && given.http) {
    SysResult<HttpPlace> http = adopt_http(*config.http, std::move(*given.http));
    if (http) places.http.emplace(std::move(*http));
  }
  return bind_missing(config, role, std::move(places));
}

Observation observe(EventLoop& loop, ObservationPlaces places, const ObserveConfig& config,
                    const HttpRoutes& control_routes, const HttpRoutes& routes) {
  Observation out;
  if (places.control) out.control.emplace(serve_http(loop.context(), std::move(*places.control), control_routes));
  if (!places.http) return out;
  out.http.emplace(serve_http(loop.context(), std::move(*places.http), routes, {.names = config.http_names}));
  log_place(*config.http);
  return out;
}

}  // namespace amt
