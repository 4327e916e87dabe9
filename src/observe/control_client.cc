#include "observe/control_client.hh"

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <cerrno>
#include <chrono>
#include <functional>

namespace amt {
namespace {

namespace beast = boost::beast;
namespace http = boost::beast::http;
using Protocol = boost::asio::local::stream_protocol;
using boost::system::error_code;

constexpr std::chrono::seconds kTimeout(5);
/// Millions of tunnels.
constexpr std::size_t kAnswerOctetsMax = std::size_t{1} << 30;

int errno_of(const error_code& error) {
  if (error == beast::error::timeout) return ETIMEDOUT;
  return error.category() == boost::system::system_category() ? error.value() : EPROTO;
}

SysResult<FetchedStatus> ask(const std::string& path, http::verb method, const std::string& target) {
  constexpr std::size_t kPathOctetsMax = 107;  // sockaddr_un
  if (path.size() > kPathOctetsMax) return tl::unexpected(SysError{"control socket", path, ENAMETOOLONG});
  boost::asio::io_context context;
  beast::basic_stream<Protocol> stream(context);
  http::request<http::string_body> request{method, target, 11};
  request.set(http::field::host, "localhost");
  request.keep_alive(false);
  request.prepare_payload();
  beast::flat_buffer buffer;
  http::response_parser<http::string_body> parser;
  parser.body_limit(kAnswerOctetsMax);

  const char* call = "connect";
  error_code failure;
  std::function<void(error_code, std::size_t)> read_some = [&](error_code read, std::size_t) {
    failure = read;
    if (read || parser.is_done()) return;
    stream.expires_after(kTimeout);
    http::async_read_some(stream, buffer, parser, read_some);
  };
  stream.expires_after(kTimeout);
  stream.async_connect(Protocol::endpoint(path), [&](error_code connected) {
    failure = connected;
    if (connected) return;
    call = "ask";
    http::async_write(stream, request, read_some);
  });
  context.run();
  if (failure) return tl::unexpected(SysError{call, path, errno_of(failure)});
  const http::status status = parser.get().result();
  if (status != http::status::ok && status != http::status::bad_request) {
    return tl::unexpected(SysError{"ask", path, EPROTO});
  }
  return FetchedStatus{status == http::status::ok, std::move(parser.get().body())};
}

}  // namespace

SysResult<FetchedStatus> fetch_status(const std::string& path, const std::string& query) {
  return ask(path, http::verb::get, "/status.json" + (query.empty() ? "" : "?" + query));
}

SysResult<FetchedStatus> post_command(const std::string& path, const std::string& target) {
  return ask(path, http::verb::post, "/" + target);
}

}  // namespace amt
