#pragma once
/// Where a daemon's HTTP servers listen.

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "amt/endpoint.hh"
#include "base/listen_place.hh"
#include "observe/control_socket.hh"
#include "observe/http_server.hh"
#include "sys/error.hh"

namespace amt {

/// A server with the file of its UNIX socket, where it has one.
class HttpListener {
 public:
  HttpListener(std::unique_ptr<HttpServer> server, std::optional<ControlSocket> file)
      : file_(std::move(file)), server_(std::move(server)) {}
  /// Of a UNIX socket; else empty.
  [[nodiscard]] std::string path() const { return file_ ? file_->path() : std::string(); }

 private:
  // The file goes last.
  std::optional<ControlSocket> file_;
  std::unique_ptr<HttpServer> server_;
};

/// Listens at `place` on the context's thread. Over TCP the Host field is checked, with `names` beside addresses. A
/// UNIX socket is for its owner and group (`ControlSocket::listen`). Error EADDRINUSE: somebody else listens there.
[[nodiscard]] SysResult<HttpListener> listen_http(boost::asio::io_context& context, const ListenPlace& place,
                                                  HttpRoutes routes, std::vector<std::string> names = {});

/// The control socket of a daemon: at `path` if that was given, and a failure is an error. Else at the first default
/// path that works (`role`: "relay" or "gateway"); when none does, a warning is logged and the result is empty: the
/// daemon goes on without.
[[nodiscard]] SysResult<std::optional<HttpListener>> listen_control(boost::asio::io_context& context,
                                                                    std::string_view role,
                                                                    const std::optional<std::string>& path,
                                                                    const HttpRoutes& routes);

}  // namespace amt
