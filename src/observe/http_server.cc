#include "observe/http_server.hh"

#include <sys/socket.h>

#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <chrono>
#include <list>
#include <optional>

#include "observe/http_wire.hh"
#include "sys/socket_address.hh"

namespace amt {
namespace {

namespace beast = boost::beast;
namespace http = boost::beast::http;
using Protocol = boost::asio::generic::stream_protocol;
using Stream = beast::basic_stream<Protocol>;
using boost::system::error_code;

constexpr std::uint32_t kHeaderOctetsMax = 8192;
constexpr std::chrono::seconds kRequestTimeout(5);
/// A pager, or a person that scrolls, reads slowly.
constexpr std::chrono::seconds kPieceTimeout(30);
constexpr std::chrono::minutes kAnswerTimeout(5);
constexpr std::chrono::milliseconds kAcceptAgainAfter(500);
constexpr unsigned kHttp11 = 11;

std::string_view view(beast::string_view text) { return {text.data(), text.size()}; }

}  // namespace

/// Shared by the server and its connections, which may outlive it by one callback: `is_over` then.
struct HttpServer::Impl : std::enable_shared_from_this<HttpServer::Impl> {
  Impl(boost::asio::io_context& context, const Protocol& protocol, int listening, HttpRoutes the_routes,
       HttpServerOptions the_options)
      : acceptor(context, protocol, listening),
        accept_again(context),
        routes(std::move(the_routes)),
        options(std::move(the_options)) {}

  void accept();
  void end();

  boost::asio::basic_socket_acceptor<Protocol> acceptor;
  boost::asio::steady_timer accept_again;
  HttpRoutes routes;
  HttpServerOptions options;
  bool is_over = false;
  std::size_t connections = 0;
  /// Those that wait for their client, to ask or to read; first the one that has waited longest.
  std::list<Connection*> waiting;
};

/// One client: reads a request, answers, and again while the client wants.
class HttpServer::Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(Stream::socket_type socket, std::shared_ptr<Impl> server)
      : stream_(std::move(socket)), server_(std::move(server)) {
    ++server_->connections;
  }
  ~Connection() {
    end_waiting();
    --server_->connections;
  }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  void close() {
    end_waiting();
    stream_.close();
  }

  void read() {
    begin_waiting();
    parser_.emplace();
    parser_->header_limit(kHeaderOctetsMax);
    parser_->body_limit(0);
    stream_.expires_after(kRequestTimeout);
    http::async_read(stream_, buffer_, *parser_, [self = shared_from_this()](error_code error, std::size_t) {
      self->end_waiting();
      if (self->server_->is_over) return;
      if (!error) return self->answer();
      if (const unsigned status = http_status_of(error); status != 0) self->refuse_and_close(status);
    });
  }

 private:
  using Request = http::request<http::string_body>;

  void begin_waiting() {
    end_waiting();
    waits_at_ = server_->waiting.insert(server_->waiting.end(), this);
  }
  void end_waiting() {
    if (waits_at_) server_->waiting.erase(*waits_at_);
    waits_at_.reset();
  }

  /// The refusal of a request for reasons that do not depend on its path.
  [[nodiscard]] std::optional<HttpAnswer> objection(const std::optional<HttpTarget>& target) const {
    const Request& request = parser_->get();
    if (!target) return http_error(400, "the target is no path");
    const std::size_t hosts = request.count(http::field::host);
    // RFC 9112 §6.1: where the request ends would be a matter of opinion.
    if (request.count(http::field::transfer_encoding) != 0) return http_error(400, "a request has no body here");
    if (hosts > 1 || (hosts == 0 && request.version() >= kHttp11)) return http_error(400, "one Host field is due");
    if (!server_->options.check_host || (hosts == 0 && !target->authority)) return std::nullopt;
    const std::string_view host = target->authority.value_or(view(request[http::field::host]));
    if (is_http_host_allowed(host, server_->options.names)) return std::nullopt;
    return http_error(421,
                      "this host name is not known here; use the address, or start the daemon with --http-host NAME");
  }

  void answer() {
    const Request& request = parser_->get();
    is_head_ = request.method() == http::verb::head;
    version_ = request.version();
    keep_alive_ = request.keep_alive();
    // Until it is cancelled it also keeps this object, which nothing else does while an answer is being made.
    answer_timer_.expires_after(kAnswerTimeout);
    answer_timer_.async_wait([self = shared_from_this()](error_code cancelled) {
      if (!cancelled) self->stream_.close();
    });
    const std::optional<HttpTarget> target = parse_http_target(view(request.target()));
    if (std::optional<HttpAnswer> refusal = objection(target)) {
      // What follows a request that two servers may read differently may have been meant as a part of it.
      keep_alive_ = false;
      return begin_answer(std::move(*refusal));
    }
    const auto field = [&request](http::field name) { return std::string(view(request[name])); };
    server_->routes.answer({.method = http_method_of(request.method()),
                            .path = std::string(target->path),
                            .query = std::string(target->query),
                            .accept = field(http::field::accept),
                            .host = std::string(target->authority.value_or(view(request[http::field::host]))),
                            .origin = field(http::field::origin),
                            .fetch_site = std::string(view(request["Sec-Fetch-Site"])),
                            .authorization = field(http::field::authorization),
                            .peer = peer()},
                           [self = weak_from_this()](HttpAnswer made) {
                             const std::shared_ptr<Connection> alive = self.lock();
                             if (alive && !alive->server_->is_over) alive->begin_answer(std::move(made));
                           });
  }

  [[nodiscard]] std::optional<Endpoint> peer() {
    SocketAddress from;
    socklen_t octets = SocketAddress::capacity();
    if (::getpeername(stream_.socket().native_handle(), from.data(), &octets) != 0) return std::nullopt;
    return from.endpoint();
  }

  /// Where the next request begins is not known.
  void refuse_and_close(unsigned status) {
    is_head_ = false;
    version_ = kHttp11;
    keep_alive_ = false;
    begin_answer(http_error(status, status == 431   ? "the header fields are too large"
                                    : status == 413 ? "a request has no body here"
                                                    : "this is no HTTP request"));
  }

  /// HTTP/1.0 knows no chunks: there the end of the connection is the end of the answer.
  [[nodiscard]] bool is_chunked() const { return version_ >= kHttp11 && !answer_.take_socket; }

  void begin_answer(HttpAnswer made) {
    answer_ = std::move(made);
    response_ = {};
    response_.result(answer_.status);
    response_.version(version_);
    if (!is_chunked()) keep_alive_ = false;
    if (answer_.status == kHttpSwitchingProtocols) {
      response_.set(http::field::connection, "Upgrade");
      response_.set(http::field::upgrade, "amt-hand-over");
    } else {
      response_.keep_alive(keep_alive_);
      set_common_http_fields(response_);
      response_.set(http::field::content_type, answer_.content_type);
      if (!answer_.allow.empty()) response_.set(http::field::allow, answer_.allow);
      for (const auto& [name, value] : answer_.fields) response_.set(name, value);
      if (is_chunked()) response_.chunked(true);
    }
    serializer_.emplace(response_);
    stream_.expires_after(kPieceTimeout);
    begin_waiting();
    http::async_write_header(stream_, *serializer_, [self = shared_from_this()](error_code error, std::size_t) {
      self->end_waiting();
      if (error) return self->end_answer();
      if (self->is_head_) return self->finish();
      self->answer_.take_socket ? self->give_socket() : self->make_piece();
    });
  }

  void give_socket() {
    const std::function<void(UniqueFd)> take_socket = std::move(answer_.take_socket);
    end_answer();
    Stream::socket_type connection = stream_.release_socket();
    error_code error;
    UniqueFd socket(connection.release(error));
    if (!error && !server_->is_over) take_socket(std::move(socket));
  }

  void make_piece() {
    // A server that is gone gives no more pieces.
    if (server_->is_over) return end_answer();
    answer_.body->next([self = weak_from_this()](std::string piece) {
      if (const std::shared_ptr<Connection> alive = self.lock()) alive->write_piece(std::move(piece));
    });
  }

  void write_piece(std::string piece) {
    piece_ = std::move(piece);
    stream_.expires_after(kPieceTimeout);
    begin_waiting();
    const bool is_last = piece_.empty();
    const auto written = [self = shared_from_this(), is_last](error_code error, std::size_t) {
      self->end_waiting();
      if (error) return self->end_answer();
      is_last ? self->finish() : self->make_piece();
    };
    if (!is_chunked()) {
      boost::asio::async_write(stream_, boost::asio::buffer(piece_), written);
    } else if (is_last) {
      boost::asio::async_write(stream_, http::make_chunk_last(), written);
    } else {
      boost::asio::async_write(stream_, http::make_chunk(boost::asio::buffer(piece_)), written);
    }
  }

  void finish() {
    end_answer();
    if (keep_alive_) return read();
    // The client may still be sending: to close at once would have the kernel take the answer back (RST).
    error_code ignored;
    stream_.socket().shutdown(boost::asio::socket_base::shutdown_send, ignored);
    await_end();
  }

  /// Until the client is done, or `kRequestTimeout`.
  void await_end() {
    begin_waiting();
    buffer_.clear();
    stream_.expires_after(kRequestTimeout);
    stream_.async_read_some(buffer_.prepare(kHeaderOctetsMax),
                            [self = shared_from_this()](error_code error, std::size_t octets) {
                              self->end_waiting();
                              self->discarded_octets_ += octets;
                              if (!error && self->discarded_octets_ < kDiscardedOctetsMax) self->await_end();
                            });
  }

  void end_answer() {
    answer_timer_.cancel();
    answer_ = {};
  }

  static constexpr std::size_t kDiscardedOctetsMax = 1 << 20;

  Stream stream_;
  std::shared_ptr<Impl> server_;
  std::optional<std::list<Connection*>::iterator> waits_at_;
  beast::flat_buffer buffer_{2 * kHeaderOctetsMax};
  std::optional<http::request_parser<http::string_body>> parser_;
  bool is_head_ = false;
  unsigned version_ = kHttp11;
  bool keep_alive_ = false;
  HttpAnswer answer_;
  http::response<http::string_body> response_;
  std::optional<http::response_serializer<http::string_body>> serializer_;
  boost::asio::steady_timer answer_timer_{stream_.get_executor()};
  /// The piece that is being written.
  std::string piece_;
  std::size_t discarded_octets_ = 0;
};

void HttpServer::Impl::accept() {
  acceptor.async_accept([self = shared_from_this()](error_code error, Stream::socket_type peer) {
    if (error == boost::asio::error::operation_aborted || !self->acceptor.is_open()) return;
    if (error) {
      // No descriptor is left, and the client still waits: to try again at once would be all that this thread does.
      self->accept_again.expires_after(kAcceptAgainAfter);
      return self->accept_again.async_wait([self](error_code cancelled) {
        if (!cancelled && self->acceptor.is_open()) self->accept();
      });
    }
    // A client that asks, reads and leaves takes a connection for a moment only; the waiting ones keep a newcomer out.
    const std::size_t connections_max = self->options.connections_max;
    const bool is_room = self->connections < connections_max;
    if (!is_room && !self->waiting.empty()) self->waiting.front()->close();
    // Those that were closed are gone a moment later.
    if (self->connections < 2 * connections_max) std::make_shared<Connection>(std::move(peer), self)->read();
    self->accept();
  });
}

void HttpServer::Impl::end() {
  error_code ignored;
  acceptor.close(ignored);
  accept_again.cancel();
  is_over = true;
  routes = {};
}

HttpServer::HttpServer(boost::asio::io_context& context, ListeningSocket listening, HttpRoutes routes,
                       HttpServerOptions options)
    : impl_(std::make_shared<Impl>(context, Protocol(listening.family, 0), listening.fd.release(), std::move(routes),
                                   std::move(options))) {
  impl_->accept();
}

HttpServer::~HttpServer() { impl_->end(); }

int HttpServer::listening_fd() const { return impl_->acceptor.native_handle(); }

}  // namespace amt
