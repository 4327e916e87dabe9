#include "cli/observation.hh"

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

}  // namespace

SysResult<Observation> observe(EventLoop& loop, const ObserveConfig& config, const std::string& role,
                               const HttpRoutes& control_routes, const HttpRoutes& routes) {
  Observation out;
  SysResult<std::optional<HttpListener>> control = listen_control(loop.context(), role, config.control, control_routes);
  if (!control) return Unexpected<SysError>(control.error());
  if (*control) out.control.emplace(std::move(**control));
  if (!config.http) return out;
  SysResult<HttpListener> http = listen_http(loop.context(), *config.http, routes, config.http_names);
  if (!http) return Unexpected<SysError>(http.error());
  out.http.emplace(std::move(*http));
  log_place(*config.http);
  return out;
}

}  // namespace amt
