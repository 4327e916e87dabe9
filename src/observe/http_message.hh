#pragma once
/// Requests and answers between an HTTP server and its handlers.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "amt/endpoint.hh"
#include "amt/result.hh"
#include "observe/status_stream.hh"
#include "sys/unique_fd.hh"

namespace amt {

enum class HttpMethod : std::uint8_t { kGet, kHead, kPost, kOther };

struct HttpRequest {
  HttpMethod method = HttpMethod::kGet;
  std::string path = "/";
  /// The text after the `?`.
  std::string query{};
  /// The header fields of that name; empty: none.
  std::string accept{};
  std::string host{};
  std::string origin{};
  std::string fetch_site{};  ///< Sec-Fetch-Site
  std::string authorization{};
  /// Of the client; none over a UNIX socket.
  std::optional<Endpoint> peer{};
};

inline constexpr unsigned kHttpSwitchingProtocols = 101;

struct HttpAnswer {
  unsigned status = 200;
  std::string content_type = "application/json";
  /// Methods that this path has; given with status 405.
  std::string allow{};
  std::unique_ptr<StatusStream> body{};
  /// Further header fields; one that every answer has is replaced.
  std::vector<std::pair<std::string, std::string>> fields{};
  /// In place of a body, not for HEAD: takes the connection's socket, over which the header has been sent. With status
  /// 101 the connection has another protocol from now on; else all octets until it closes are the body (RFC 9112 §6.3).
  std::function<void(UniqueFd socket)> take_socket{};
};
/// 101, Switching Protocols.
[[nodiscard]] HttpAnswer http_switch(std::function<void(UniqueFd socket)> take_socket);
/// `{"error":"..."}`
[[nodiscard]] HttpAnswer http_error(unsigned status, std::string_view why);
[[nodiscard]] HttpAnswer http_text(std::string content_type, std::string text);

/// Takes the answer, at once or later; once.
using HttpRespond = std::function<void(HttpAnswer answer)>;
using HttpHandler = std::function<void(const HttpRequest& request, HttpRespond respond)>;

/// A command of the control socket: `query` is the text after the `?`. The answer is JSON; error: why nothing has
/// changed.
using HttpCommand = std::function<Result<std::string, std::string>(const std::string& query)>;

/// Which path has which handlers. A path with a GET handler has HEAD, too. A path of its own goes before a folder.
class HttpRoutes {
 public:
  void get(std::string path, HttpHandler handler);
  void post(std::string path, HttpHandler handler);
  /// The same for a command; 400: nothing has changed.
  void command(std::string path, HttpCommand command);
  /// All paths that begin with `folder`, which ends with a slash.
  void get_below(std::string folder, HttpHandler handler);
  /// 404: no such path; 405: not this method.
  void answer(const HttpRequest& request, HttpRespond respond) const;

 private:
  struct Route {
    std::string path;
    HttpHandler get{};
    HttpHandler post{};
  };
  Route& route(std::string path);
  [[nodiscard]] const Route* find(std::string_view path) const;
  std::vector<Route> routes_;
  std::vector<Route> folders_;
};

/// A request's target (RFC 9112 §3.2).
struct HttpTarget {
  std::string_view path;
  std::string_view query;
  /// Of `http://authority/path`; takes the place of the Host field.
  std::optional<std::string_view> authority{};
};
/// Nothing: neither a path nor an http URL.
[[nodiscard]] std::optional<HttpTarget> parse_http_target(std::string_view target);

/// Whether a browser that names `host` (the Host field, a port may follow) may be answered. Against DNS rebinding: a
/// foreign page reaches this server under a name of its own, never under an address literal, `localhost` or one of
/// `names`.
[[nodiscard]] bool is_http_host_allowed(std::string_view host, const std::vector<std::string>& names);

}  // namespace amt
