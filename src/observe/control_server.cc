#include "observe/control_server.hh"

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <cerrno>
#include <chrono>
#include <list>
#include <optional>

#include "observe/control_path.hh"
#include "sys/log.hh"

namespace amt {
namespace {

namespace beast = boost::beast;
namespace http = boost::beast::http;
using Protocol = boost::asio::local::stream_protocol;
using Stream = beast::basic_stream<Protocol>;
using boost::system::error_code;

/// One more than this takes the place of the one whose client has been waited for longest.
constexpr std::size_t kConnectionsMax = 64;
constexpr std::uint32_t kHeaderOctetsMax = 4096;
constexpr std::chrono::seconds kRequestTimeout(5);
/// A pager, or a person who scrolls, reads slowly.
constexpr std::chrono::seconds kPieceTimeout(30);
constexpr std::chrono::minutes kAnswerTimeout(5);
constexpr std::chrono::milliseconds kAcceptAgainAfter(500);
constexpr std::string_view kPaths = "there are GET /status, POST /reload, and of a relay POST /drain";

/// A JSON string's inside.
std::string quoted(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out;
}

}  // namespace

/// Shared by the server and its connections, which may outlive it by one callback: the handlers are empty then.
struct ControlServer::Impl : std::enable_shared_from_this<ControlServer::Impl> {
  Impl(boost::asio::io_context& context, UniqueFd listening, StatusHandler status_handler,
       CommandHandler command_handler)
      : acceptor(context, Protocol(), listening.release()),
        accept_again(context),
        status(std::move(status_handler)),
        command(std::move(command_handler)) {}

  void accept();
  void end();

  Protocol::acceptor acceptor;
  boost::asio::steady_timer accept_again;
  StatusHandler status;
  CommandHandler command;
  std::size_t connections = 0;
  /// Those that wait for their client, to ask or to read; first the one that has waited longest.
  std::list<Connection*> waiting;
};

/// One client: reads a request, answers, and again while the client wants.
class ControlServer::Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(Protocol::socket socket, std::shared_ptr<Impl> server)
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
      if (!error && self->server_->status) self->answer();
    });
  }

 private:
  void begin_waiting() {
    end_waiting();
    waits_at_ = server_->waiting.insert(server_->waiting.end(), this);
  }
  void end_waiting() {
    if (waits_at_) server_->waiting.erase(*waits_at_);
    waits_at_.reset();
  }

  void answer() {
    const http::request<http::string_body>& request = parser_->get();
    const std::string_view target(request.target().data(), request.target().size());
    const std::size_t path_octets = std::min(target.find('?'), target.size());
    const std::string_view path = target.substr(0, path_octets);
    const std::string_view question = target.substr(std::min(path_octets + 1, target.size()));
    if (path != "/status") return answer_command(path, question);
    if (request.method() != http::verb::get) return refuse(http::status::method_not_allowed, "GET only");
    const auto query = StatusQuery::parse(question);
    if (!query) return refuse(http::status::bad_request, query.error());
    auto stream = server_->status(*query);
    if (!stream) return refuse(http::status::bad_request, stream.error());
    answer_ = std::move(*stream);
    write_header();
  }

  void answer_command(std::string_view path, std::string_view question) {
    const http::verb method = parser_->get().method();
    const ControlServer::CommandHandler& command = server_->command;
    const bool may_be_command = command && method == http::verb::post && path.starts_with('/');
    const auto done = may_be_command ? command(path.substr(1), question) : std::nullopt;
    if (!done) return refuse(http::status::not_found, kPaths);
    if (!*done) return refuse(http::status::bad_request, done->error());
    begin_response(http::status::ok);
    response_.body() = **done;
    send_response();
  }

  void begin_response(http::status status) {
    const http::request<http::string_body>& request = parser_->get();
    response_ = {};
    response_.result(status);
    response_.version(request.version());
    response_.keep_alive(request.keep_alive());
    response_.set(http::field::content_type, "application/json");
  }

  void refuse(http::status status, std::string_view why) {
    begin_response(status);
    if (status == http::status::method_not_allowed) response_.set(http::field::allow, "GET");
    response_.body() = "{\"error\":\"" + quoted(why) + "\"}";
    send_response();
  }

  /// The whole, in one piece.
  void send_response() {
    response_.prepare_payload();
    begin_waiting();
    stream_.expires_after(kRequestTimeout);
    http::async_write(stream_, response_, [self = shared_from_this()](error_code error, std::size_t) {
      self->end_waiting();
      if (!error && self->response_.keep_alive()) self->read();
    });
  }

  /// HTTP/1.0 knows no chunks: there the end of the connection is the end of the answer.
  [[nodiscard]] bool is_chunked() const { return response_.version() >= 11; }

  void write_header() {
    constexpr unsigned kHttp10 = 10;
    begin_response(http::status::ok);
    if (is_chunked()) {
      response_.chunked(true);
    } else {
      response_.version(kHttp10);
      response_.keep_alive(false);
    }
    serializer_.emplace(response_);
    stream_.expires_after(kPieceTimeout);
    // Until it is cancelled it also keeps this object, which nothing else does while a piece is being made.
    answer_timer_.expires_after(kAnswerTimeout);
    answer_timer_.async_wait([self = shared_from_this()](error_code cancelled) {
      if (!cancelled) self->stream_.close();
    });
    begin_waiting();
    http::async_write_header(stream_, *serializer_, [self = shared_from_this()](error_code error, std::size_t) {
      self->end_waiting();
      error ? self->end_answer() : self->make_piece();
    });
  }

  void make_piece() {
    // Of a server that is gone nothing more is told.
    if (!server_->status) return end_answer();
    answer_->next([self = weak_from_this()](std::string piece) {
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
      if (!error && !is_last) return self->make_piece();
      self->end_answer();
      if (!error && self->response_.keep_alive()) self->read();
    };
    if (!is_chunked()) {
      boost::asio::async_write(stream_, boost::asio::buffer(piece_), written);
    } else if (is_last) {
      boost::asio::async_write(stream_, http::make_chunk_last(), written);
    } else {
      boost::asio::async_write(stream_, http::make_chunk(boost::asio::buffer(piece_)), written);
    }
  }

  void end_answer() {
    answer_timer_.cancel();
    answer_.reset();
  }

  Stream stream_;
  std::shared_ptr<Impl> server_;
  std::optional<std::list<Connection*>::iterator> waits_at_;
  beast::flat_buffer buffer_{2 * kHeaderOctetsMax};
  std::optional<http::request_parser<http::string_body>> parser_;
  http::response<http::string_body> response_;
  std::optional<http::response_serializer<http::string_body>> serializer_;
  boost::asio::steady_timer answer_timer_{stream_.get_executor()};
  std::unique_ptr<StatusStream> answer_;
  /// What is being written.
  std::string piece_;
};

void ControlServer::Impl::accept() {
  acceptor.async_accept([self = shared_from_this()](error_code error, Protocol::socket peer) {
    if (error == boost::asio::error::operation_aborted || !self->acceptor.is_open()) return;
    if (error) {
      // No descriptor is left, and the client still waits: to try again at once would be all that this thread does.
      self->accept_again.expires_after(kAcceptAgainAfter);
      return self->accept_again.async_wait([self](error_code cancelled) {
        if (!cancelled && self->acceptor.is_open()) self->accept();
      });
    }
    // Whoever asks, reads, and goes holds a place for a moment only; it is the others who keep a newcomer out.
    const bool is_room = self->connections < kConnectionsMax;
    if (!is_room && !self->waiting.empty()) self->waiting.front()->close();
    // Those that were closed are gone a moment later.
    if (self->connections < 2 * kConnectionsMax) std::make_shared<Connection>(std::move(peer), self)->read();
    self->accept();
  });
}

void ControlServer::Impl::end() {
  error_code ignored;
  acceptor.close(ignored);
  accept_again.cancel();
  status = nullptr;
  command = nullptr;
}

ControlServer::ControlServer(std::shared_ptr<Impl> impl, ControlSocket socket)
    : impl_(std::move(impl)), socket_(std::move(socket)) {}

ControlServer::~ControlServer() { impl_->end(); }

SysResult<std::unique_ptr<ControlServer>> ControlServer::open(boost::asio::io_context& context, const std::string& path,
                                                              StatusHandler status, CommandHandler command) {
  SysResult<ControlSocket> socket = ControlSocket::listen(path);
  if (!socket) return tl::unexpected(socket.error());
  auto impl = std::make_shared<Impl>(context, socket->take_descriptor(), std::move(status), std::move(command));
  impl->accept();
  return std::make_unique<ControlServer>(std::move(impl), std::move(*socket));
}

SysResult<std::unique_ptr<ControlServer>> ControlServer::open_for(boost::asio::io_context& context,
                                                                  std::string_view role,
                                                                  const std::optional<std::string>& path,
                                                                  StatusHandler status, CommandHandler command) {
  if (path) return open(context, *path, std::move(status), std::move(command));
  std::string failures;
  for (const std::string& candidate : default_control_paths(role)) {
    auto server = open(context, candidate, status, command);
    if (server) return server;
    failures += (failures.empty() ? "" : "; ") + server.error().to_string();
  }
  log_warn("no control socket, so `amt status` cannot ask this {}: {} (choose a place with --control PATH)", role,
           failures);
  return nullptr;
}

}  // namespace amt
