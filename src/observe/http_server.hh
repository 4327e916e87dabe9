#pragma once
/// HTTP/1.1 for clients that look at a running relay or gateway: over TCP for browsers and Prometheus, over a UNIX
/// socket for `amt status`.

#include <memory>
#include <string>
#include <vector>

#include "observe/http_message.hh"
#include "sys/unique_fd.hh"

namespace boost::asio {
class io_context;
}

namespace amt {

/// A stream socket that listens, non-blocking.
struct ListeningSocket {
  int family = 0;  ///< AF_INET, AF_INET6 or AF_UNIX
  UniqueFd fd{};
};

struct HttpServerOptions {
  /// Requests must name this server by an address literal, `localhost` or one of `names` (DNS rebinding).
  bool check_host = false;
  std::vector<std::string> names{};
  /// Connections at a time, but for those that were taken over.
  std::size_t connections_max = 64;
};

/// Lives on the thread that runs `context`, and is destroyed there; `context` must outlive it. Clients are bounded:
/// `connections_max` connections, of which the one that has been waited for longest gives way to a new one; 8 KiB for a
/// request, 5 s to send it, 30 s to read a piece of the answer, 5 min for the whole. The next piece is made when the
/// one before has been written. Several requests may be sent before the first answer is read; they are answered in
/// order.
///
/// Refuses with 400 a request that is no HTTP, or names no host; 413 a request with a body; 421 another host's name;
/// 431 header fields that are too large.
class HttpServer {
 public:
  HttpServer(boost::asio::io_context& context, ListeningSocket listening, HttpRoutes routes, HttpServerOptions options);
  ~HttpServer();
  /// Clients that are not accepted yet wait there.
  [[nodiscard]] int listening_fd() const;
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

 private:
  struct Impl;
  class Connection;
  std::shared_ptr<Impl> impl_;
};

}  // namespace amt
