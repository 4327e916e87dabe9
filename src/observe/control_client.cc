#include "observe/control_client.hh"

#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <cerrno>
#include <chrono>

namespace amt {
namespace {

namespace beast = boost::beast;
namespace http = boost::beast::http;
using Protocol = boost::asio::local::stream_protocol;
using boost::system::error_code;

constexpr std::chrono::seconds kTimeout(5);
/// Tens of thousands of tunnels with their groups.
constexpr std::size_t kAnswerOctetsMax = std::size_t{1} << 30;

int errno_of(const error_code& error) {
  if (error == beast::error::timeout) return ETIMEDOUT;
  return error.category() == boost::system::system_category() ? error.value() : EPROTO;
}

}  // namespace

SysResult<std::string> fetch_status(const std::string& path) {
  constexpr std::size_t kPathOctetsMax = 107;  // sockaddr_un
  if (path.size() > kPathOctetsMax) return tl::unexpected(SysError{"control socket", path, ENAMETOOLONG});
  boost::asio::io_context context;
  beast::basic_stream<Protocol> stream(context);
  http::request<http::empty_body> request{http::verb::get, "/status", 11};
  request.set(http::field::host, "localhost");
  request.keep_alive(false);
  beast::flat_buffer buffer;
  http::response_parser<http::string_body> parser;
  parser.body_limit(kAnswerOctetsMax);

  const char* call = "connect";
  error_code failure;
  stream.expires_after(kTimeout);
  stream.async_connect(Protocol::endpoint(path), [&](error_code connected) {
    failure = connected;
    if (connected) return;
    call = "ask";
    http::async_write(stream, request, [&](error_code written, std::size_t) {
      failure = written;
      if (written) return;
      http::async_read(stream, buffer, parser, [&](error_code read, std::size_t) { failure = read; });
    });
  });
  context.run();
  if (failure) return tl::unexpected(SysError{call, path, errno_of(failure)});
  if (parser.get().result() != http::status::ok) return tl::unexpected(SysError{"ask", path, EPROTO});
  return std::move(parser.get().body());
}

}  // namespace amt
