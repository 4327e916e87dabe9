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

/// A listening socket whose clients wait: it is made with privileges that the server may have given up later.
struct HttpPlace {
  ListeningSocket listening{};
  std::optional<ControlSocket> file{};  ///< of a UNIX socket
};

/// A server with the file of its UNIX socket, where it has one.
class HttpListener {
 public:
  HttpListener(std::unique_ptr<HttpServer> server, std::optional<ControlSocket> file)
      : file_(std::move(file)), server_(std::move(server)) {}
  /// Of a UNIX socket; else empty.
  [[nodiscard]] std::string path() const { return file_ ? file_->path() : std::string(); }
  /// For another process, which goes on with it.
  [[nodiscard]] int listening_fd() const { return server_->listening_fd(); }
  /// The file of a UNIX socket stays when this object goes, or goes with it again.
  void set_file_kept(bool kept) {
    if (file_) file_->set_kept(kept);
  }

 private:
  // The file goes last.
  std::optional<ControlSocket> file_;
  std::unique_ptr<HttpServer> server_;
};

/// A UNIX socket is for its owner and group (`ControlSocket::listen`). `option` named the place, for messages. Error
/// EADDRINUSE: another process listens there.
[[nodiscard]] SysResult<HttpPlace> bind_http(const ListenPlace& place, const std::string& option = "--http");

/// Goes on with the control socket of another process, at the path that it has.
[[nodiscard]] SysResult<HttpPlace> adopt_control(UniqueFd listening);
/// Goes on with the socket of another process, which listens at `place` already. Error EINVAL: it does not.
[[nodiscard]] SysResult<HttpPlace> adopt_http(const ListenPlace& place, UniqueFd listening);

/// For the control socket of a daemon: at `path` if that was given, and a failure is an error. Else at the first
/// default path that works (`role`: "relay" or "gateway"); when none does, a warning is logged and the result is empty:
/// the daemon goes on without.
[[nodiscard]] SysResult<std::optional<HttpPlace>> bind_control(std::string_view role,
                                                               const std::optional<std::string>& path);

/// Further options of `serve_http`.
struct HttpListenOptions {
  std::vector<std::string> names{};
  std::size_t connections_max = 64;
};

/// Answers at `place` on the context's thread. Over TCP the Host field is checked, with `options.names` beside
/// addresses.
[[nodiscard]] HttpListener serve_http(boost::asio::io_context& context, HttpPlace place, HttpRoutes routes,
                                      HttpListenOptions options = {});

}  // namespace amt
