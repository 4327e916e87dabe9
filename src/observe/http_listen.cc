#include "observe/http_listen.hh"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>

#include "observe/control_path.hh"
#include "sys/log.hh"
#include "sys/socket_address.hh"

namespace amt {
namespace {

/// Clients that come at once, and have not been accepted yet.
constexpr int kBacklog = 256;

SysResult<ListeningSocket> listen_tcp(const Endpoint& local, const std::string& option) {
  const int family = address_family(local.address.family());
  const std::string name = local.to_string();
  UniqueFd fd(::socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) return Unexpected<SysError>(SysError::last("socket", name));
  constexpr int kOn = 1;
  // A connection of the daemon that was here before must not keep the port for a minute.
  static_cast<void>(::setsockopt(fd.get(), SOL_SOCKET, SO_REUSEADDR, &kOn, sizeof kOn));
  if (family == AF_INET6) static_cast<void>(::setsockopt(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, &kOn, sizeof kOn));
  // Accepted sockets inherit it. An answer is written in pieces, and none shall wait for the acknowledgement of
  // another.
  static_cast<void>(::setsockopt(fd.get(), IPPROTO_TCP, TCP_NODELAY, &kOn, sizeof kOn));
  const SocketAddress address(local);
  if (::bind(fd.get(), address.data(), address.size()) != 0 || ::listen(fd.get(), kBacklog) != 0) {
    return Unexpected<SysError>(SysError::last(option, name));
  }
  return ListeningSocket{family, std::move(fd)};
}

}  // namespace

SysResult<HttpPlace> bind_http(const ListenPlace& place, const std::string& option) {
  HttpPlace bound;
  if (const auto* const path = std::get_if<std::string>(&place)) {
    SysResult<ControlSocket> socket = ControlSocket::listen(*path);
    if (!socket) return Unexpected<SysError>(socket.error());
    bound.listening = {AF_UNIX, socket->take_descriptor()};
    bound.file.emplace(std::move(*socket));
    return bound;
  }
  SysResult<ListeningSocket> listening = listen_tcp(std::get<Endpoint>(place), option);
  if (!listening) return Unexpected<SysError>(listening.error());
  bound.listening = std::move(*listening);
  return bound;
}

SysResult<HttpPlace> adopt_control(UniqueFd listening) {
  SysResult<ControlSocket> socket = ControlSocket::adopt(std::move(listening));
  if (!socket) return Unexpected<SysError>(socket.error());
  HttpPlace adopted;
  adopted.listening = {AF_UNIX, socket->take_descriptor()};
  adopted.file.emplace(std::move(*socket));
  return adopted;
}

SysResult<HttpPlace> adopt_http(const ListenPlace& place, UniqueFd listening) {
  if (const auto* const path = std::get_if<std::string>(&place)) {
    SysResult<HttpPlace> unix_place = adopt_control(std::move(listening));
    if (unix_place && unix_place->file->path() == *path) return unix_place;
    return Unexpected<SysError>(SysError{"take over --http", *path, EINVAL});
  }
  const Endpoint& wanted = std::get<Endpoint>(place);
  SocketAddress bound;
  socklen_t length = SocketAddress::capacity();
  const bool is_bound = ::getsockname(listening.get(), bound.data(), &length) == 0;
  if (!is_bound || bound.endpoint() != wanted) {
    return Unexpected<SysError>(SysError{"take over --http", wanted.to_string(), EINVAL});
  }
  HttpPlace adopted;
  adopted.listening = {address_family(wanted.address.family()), std::move(listening)};
  return adopted;
}

SysResult<std::optional<HttpPlace>> bind_control(std::string_view role, const std::optional<std::string>& path) {
  if (path) {
    SysResult<HttpPlace> place = bind_http(*path);
    if (!place) return Unexpected<SysError>(place.error());
    return std::optional(std::move(*place));
  }
  std::string failures;
  for (const std::string& candidate : default_control_paths(role)) {
    SysResult<HttpPlace> place = bind_http(candidate);
    if (place) return std::optional(std::move(*place));
    failures += (failures.empty() ? "" : "; ") + place.error().to_string();
  }
  log_warn("no control socket, so `amt status` cannot ask this {}: {} (choose a place with --control PATH)", role,
           failures);
  return std::optional<HttpPlace>();
}

HttpListener serve_http(boost::asio::io_context& context, HttpPlace place, HttpRoutes routes,
                        HttpListenOptions options) {
  HttpServerOptions server_options{.check_host = place.listening.family != AF_UNIX,
                                   .names = std::move(options.names),
                                   .connections_max = options.connections_max};
  auto server =
      std::make_unique<HttpServer>(context, std::move(place.listening), std::move(routes), std::move(server_options));
  return HttpListener(std::move(server), std::move(place.file));
}

}  // namespace amt
