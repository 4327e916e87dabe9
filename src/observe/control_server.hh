#pragma once
/// The control socket of a running relay or gateway: HTTP/1.1 over a UNIX socket, so that curl --unix-socket works,
/// too.

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "amt/result.hh"
#include "observe/control_socket.hh"
#include "observe/status_query.hh"
#include "observe/status_stream.hh"
#include "sys/error.hh"

namespace boost::asio {
class io_context;
}

namespace amt {

/// Serves `GET /status?...`, and `POST /reload`, `POST /drain?...` where the daemon takes commands. Lives on the thread
/// that runs `context`, and is destroyed there; `context` must outlive it. Clients are bounded: 64 connections, 4 KiB a
/// request, 5 s for it, 30 s for a piece of the answer, 5 min for the whole. The next piece is made when the one before
/// has been written.
class ControlServer {
  struct Impl;
  class Connection;

 public:
  /// Error: what is wrong with the query, for the one who asked. Called on the context's thread.
  using StatusHandler = std::function<Result<std::unique_ptr<StatusStream>, std::string>(const StatusQuery&)>;

  /// `name`: "reload", "drain"; `query`: what follows the question mark. The answer is JSON; error: why nothing has
  /// changed, for the one who asked. Nothing: there is no such command. Called on the context's thread.
  using CommandHandler =
      std::function<std::optional<Result<std::string, std::string>>(std::string_view name, std::string_view query)>;

  /// At `path`, see ControlSocket::listen for errors. `command` may be empty.
  static SysResult<std::unique_ptr<ControlServer>> open(boost::asio::io_context& context, const std::string& path,
                                                        StatusHandler status, CommandHandler command = {});
  /// As a daemon wants it: at `path` if that was given, and a failure is an error. Else at the first default path that
  /// works (`role`: "relay" or "gateway"); when none does, a warning is logged and the result is empty: the daemon goes
  /// on without.
  static SysResult<std::unique_ptr<ControlServer>> open_for(boost::asio::io_context& context, std::string_view role,
                                                            const std::optional<std::string>& path,
                                                            StatusHandler status, CommandHandler command = {});
  /// For `open`.
  ControlServer(std::shared_ptr<Impl> impl, ControlSocket socket);
  ~ControlServer();

  [[nodiscard]] const std::string& path() const { return socket_.path(); }

 private:
  std::shared_ptr<Impl> impl_;
  ControlSocket socket_;
};

}  // namespace amt
