#pragma once
/// A file from an HTTP server of this host.

#include <cstddef>
#include <functional>
#include <memory>
#include <string>

#include "amt/endpoint.hh"
#include "amt/result.hh"

namespace boost::asio {
class io_context;
}

namespace amt {

struct HttpDownloadRequest {
  Endpoint server{};
  std::string host{};    ///< for the Host field
  std::string target{};  ///< path and query
  std::size_t octets_max = 0;
};

/// One GET, HTTP/1.1, without redirections. Lives on the thread that runs `context`; ends when it is destroyed.
class HttpDownload {
 public:
  /// The body of an answer 200, or one line that says why there is none.
  using DoneHandler = std::function<void(Result<std::string, std::string> body)>;

  /// `on_done` is called once, from `context`; it may destroy this object.
  HttpDownload(boost::asio::io_context& context, HttpDownloadRequest request, DoneHandler on_done);
  ~HttpDownload();
  HttpDownload(const HttpDownload&) = delete;
  HttpDownload& operator=(const HttpDownload&) = delete;

 private:
  struct Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace amt
