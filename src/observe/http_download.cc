#include "observe/http_download.hh"

#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http.hpp>
#include <chrono>

namespace amt {
namespace {

namespace beast = boost::beast;
namespace http = boost::beast::http;
using boost::asio::ip::tcp;
using boost::system::error_code;

/// For the whole answer: the server is on this host.
constexpr std::chrono::seconds kTimeout(10);
constexpr unsigned kHttp11 = 11;

tcp::endpoint endpoint_of(const Endpoint& server) {
  return {boost::asio::ip::make_address(server.address.to_string()), server.port};
}

}  // namespace

/// Outlives the download by one callback: `on_done` is empty then.
struct HttpDownload::Impl : std::enable_shared_from_this<Impl> {
  Impl(boost::asio::io_context& context, DoneHandler handler) : stream(context), on_done(std::move(handler)) {}

  void begin(const HttpDownloadRequest& wanted) {
    request = {http::verb::get, wanted.target, kHttp11};
    request.set(http::field::host, wanted.host);
    request.set(http::field::user_agent, "amt");
    request.keep_alive(false);
    parser.body_limit(wanted.octets_max);
    stream.expires_after(kTimeout);
    stream.async_connect(endpoint_of(wanted.server), [self = shared_from_this()](error_code error) {
      if (error) return self->fail(error);
      http::async_write(self->stream, self->request, [self](error_code failed, std::size_t) {
        if (failed) return self->fail(failed);
        http::async_read(self->stream, self->buffer, self->parser,
                         [self](error_code ended, std::size_t) { ended ? self->fail(ended) : self->take_answer(); });
      });
    });
  }

  void take_answer() {
    const unsigned status = parser.get().result_int();
    constexpr unsigned kOk = 200;
    if (status != kOk) return finish(Unexpected<std::string>("the server answers " + std::to_string(status)));
    finish(std::move(parser.get().body()));
  }
  void fail(const error_code& error) {
    finish(Unexpected<std::string>(error == http::error::body_limit ? "the answer is too large" : error.message()));
  }
  void finish(Result<std::string, std::string> body) {
    if (const DoneHandler handler = std::exchange(on_done, nullptr)) handler(std::move(body));
  }

  beast::tcp_stream stream;
  DoneHandler on_done;
  http::request<http::empty_body> request;
  beast::flat_buffer buffer;
  http::response_parser<http::string_body> parser;
};

HttpDownload::HttpDownload(boost::asio::io_context& context, HttpDownloadRequest request, DoneHandler on_done)
    : impl_(std::make_shared<Impl>(context, std::move(on_done))) {
  impl_->begin(request);
}

HttpDownload::~HttpDownload() {
  impl_->on_done = nullptr;
  impl_->stream.close();
}

}  // namespace amt
