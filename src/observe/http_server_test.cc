#include "observe/http_server.hh"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <cerrno>
#include <chrono>
#include <filesystem>
#include <thread>
#include <vector>

#include "observe/control_client.hh"
#include "observe/control_path.hh"
#include "observe/http_listen.hh"
#include "observe/http_views.hh"

namespace amt {
namespace {

SysResult<HttpListener> listen_http(boost::asio::io_context& context, const ListenPlace& place, HttpRoutes routes,
                                    std::vector<std::string> names = {}) {
  SysResult<HttpPlace> bound = bind_http(place);
  if (!bound) return Unexpected<SysError>(bound.error());
  return serve_http(context, std::move(*bound), std::move(routes), {.names = std::move(names)});
}

SysResult<std::optional<HttpListener>> listen_control(boost::asio::io_context& context, std::string_view role,
                                                      const std::optional<std::string>& path,
                                                      const HttpRoutes& routes) {
  SysResult<std::optional<HttpPlace>> bound = bind_control(role, path);
  if (!bound) return Unexpected<SysError>(bound.error());
  if (!*bound) return std::optional<HttpListener>();
  return std::optional(serve_http(context, std::move(**bound), routes));
}

using ::testing::AllOf;
using ::testing::HasSubstr;

/// A status that comes when the test says so.
class HeldStatus final : public StatusStream {
 public:
  explicit HeldStatus(std::vector<Deliver>& asked) : asked_(asked) {}
  void next(Deliver deliver) override { asked_.push_back(std::move(deliver)); }

 private:
  std::vector<Deliver>& asked_;
};

/// Pieces without end.
class EndlessStatus final : public StatusStream {
 public:
  explicit EndlessStatus(std::atomic<std::size_t>& pieces) : pieces_(pieces) {}
  void next(Deliver deliver) override {
    ++pieces_;
    deliver(std::string(10'000, 'x'));
  }

 private:
  std::atomic<std::size_t>& pieces_;
};

/// A server in a folder of its own, its context run by a thread.
class HttpServerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = ::testing::TempDir() + "amt-control-XXXXXX";
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
    path_ = folder_ + "/amt/relay.sock";
  }
  void TearDown() override {
    if (thread_.joinable()) {
      boost::asio::post(context_, [this] {
        server_.reset();
        work_.reset();
      });
      context_.stop();
      thread_.join();
    }
    server_.reset();
    std::filesystem::remove_all(folder_);
  }
  void serve() {
    auto server = listen_http(context_, path_, routes());
    ASSERT_TRUE(server) << server.error().to_string();
    server_.emplace(std::move(*server));
    thread_ = std::thread([this] { context_.run(); });
  }
  using Status = std::function<Result<std::unique_ptr<StatusStream>, std::string>(const StatusQuery&)>;
  static HttpRoutes routes_for(Status status) {
    HttpViews views;
    views.status = std::move(status);
    return make_http_routes(views);
  }
  [[nodiscard]] HttpRoutes routes() {
    return routes_for([this](const StatusQuery& query) -> Result<std::unique_ptr<StatusStream>, std::string> {
      if (query.top == 7) return Unexpected<std::string>("top: \"7\" is not liked");
      return std::make_unique<WholeStatus>(answer_);
    });
  }
  [[nodiscard]] sockaddr_un unix_address() const {
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    path_.copy(address.sun_path, sizeof address.sun_path - 1);
    return address;
  }
  [[nodiscard]] static const sockaddr* as_sockaddr(const sockaddr_un& address) {
    return static_cast<const sockaddr*>(static_cast<const void*>(&address));
  }
  [[nodiscard]] UniqueFd connected() const {
    UniqueFd fd(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const sockaddr_un address = unix_address();
    EXPECT_EQ(::connect(fd.get(), as_sockaddr(address), sizeof address), 0);
    return fd;
  }
  /// What comes back for `request`, until the server closes or a second passes without more.
  [[nodiscard]] static std::string answer_to(const UniqueFd& fd, const std::string& request) {
    EXPECT_EQ(::send(fd.get(), request.data(), request.size(), MSG_NOSIGNAL), static_cast<ssize_t>(request.size()));
    return rest_of(fd, 1000);
  }
  [[nodiscard]] static std::string rest_of(const UniqueFd& fd, int milliseconds) {
    std::string out;
    pollfd wanted{fd.get(), POLLIN, 0};
    char buffer[4096];
    while (::poll(&wanted, 1, milliseconds) > 0) {
      const ssize_t octets = ::recv(fd.get(), buffer, sizeof buffer, 0);
      if (octets <= 0) break;
      out.append(buffer, static_cast<std::size_t>(octets));
    }
    return out;
  }

  std::string folder_;
  std::string path_;
  std::string answer_ = "{\"role\":\"relay\"}";
  boost::asio::io_context context_;
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> work_ =
      boost::asio::make_work_guard(context_);
  std::optional<HttpListener> server_;
  std::thread thread_;
};

TEST_F(HttpServerTest, AnswersAStatusOfAnySize) {
  answer_ = "{\"role\":\"relay\",\"x\":\"" + std::string(3'000'000, 'x') + "\"}";
  serve();
  for (int i = 0; i < 3; ++i) {
    const SysResult<FetchedStatus> status = fetch_status(path_, "");
    ASSERT_TRUE(status) << status.error().to_string();
    EXPECT_TRUE(status->accepted);
    EXPECT_EQ(status->json, answer_);
  }
}

TEST_F(HttpServerTest, TheSocketIsForOwnerAndGroupOnlyAndGoesAtTheEnd) {
  const mode_t before = ::umask(0);
  serve();
  ::umask(before);
  struct stat status {};
  ASSERT_EQ(::stat(path_.c_str(), &status), 0);
  EXPECT_TRUE(S_ISSOCK(status.st_mode));
  EXPECT_EQ(status.st_mode & 0777, 0660u);
  boost::asio::post(context_, [this] {
    server_.reset();
    work_.reset();
  });
  thread_.join();  // nothing is left to wait for
  EXPECT_NE(::stat(path_.c_str(), &status), 0);
  EXPECT_EQ(fetch_status(path_, "").error().code, ENOENT);
}

TEST_F(HttpServerTest, ALiveSocketIsInUseAndStays) {
  serve();
  const auto second = listen_http(context_, path_, routes());
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().to_string(), "control socket " + path_ + ": Address already in use");
  EXPECT_TRUE(fetch_status(path_, ""));
}

TEST_F(HttpServerTest, TheSocketOfADeadProcessIsReplaced) {
  // Bound, closed, and the file stays: as after kill -9.
  path_ = folder_ + "/relay.sock";
  const sockaddr_un address = unix_address();
  UniqueFd dead(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
  ASSERT_EQ(::bind(dead.get(), as_sockaddr(address), sizeof address), 0);
  dead.reset();
  EXPECT_EQ(fetch_status(path_, "").error().code, ECONNREFUSED);
  serve();
  EXPECT_TRUE(fetch_status(path_, ""));
}

TEST_F(HttpServerTest, AFileThatIsNoSocketIsLeftAlone) {
  path_ = folder_ + "/file";
  const UniqueFd file(::open(path_.c_str(), O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
  ASSERT_TRUE(file);
  EXPECT_EQ(ControlSocket::listen(path_).error().code, EADDRINUSE);
  EXPECT_TRUE(std::filesystem::is_regular_file(path_));
}

TEST_F(HttpServerTest, SaysWhichDirectoryCannotBeMade) {
  EXPECT_EQ(ControlSocket::listen(folder_ + "/a/b/c.sock").error().to_string(),
            "mkdir " + folder_ + "/a/b: No such file or directory");
  EXPECT_EQ(ControlSocket::listen(folder_ + "/" + std::string(200, 'x')).error().code, ENAMETOOLONG);
}

TEST_F(HttpServerTest, RefusesWhatItDoesNotServe) {
  serve();
  EXPECT_THAT(answer_to(connected(), "GET /nothing HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"),
              HasSubstr("404 Not Found"));
  EXPECT_THAT(answer_to(connected(), "POST /status HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"),
              HasSubstr("405 Method Not Allowed"));
  EXPECT_THAT(answer_to(connected(), "nonsense\r\n\r\n"), HasSubstr("400 Bad Request"));
  EXPECT_THAT(answer_to(connected(), "GET /status HTTP/1.1\r\n\r\n"), HasSubstr("400 Bad Request"));
  EXPECT_THAT(answer_to(connected(), "GET status HTTP/1.1\r\nHost: x\r\n\r\n"), HasSubstr("400 Bad Request"));
  EXPECT_THAT(answer_to(connected(), "GET /status HTTP/1.1\r\nHost: x\r\nX: " + std::string(20'000, 'x') + "\r\n\r\n"),
              HasSubstr("431 Request Header Fields Too Large"));
  EXPECT_THAT(answer_to(connected(), "POST /status HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n123456789"),
              HasSubstr("413 Payload Too Large"));
  EXPECT_TRUE(fetch_status(path_, ""));
}

TEST_F(HttpServerTest, AConnectionMayAskAgain) {
  serve();
  const UniqueFd fd = connected();
  EXPECT_THAT(answer_to(fd, "GET /status HTTP/1.1\r\nHost: x\r\n\r\n"), HasSubstr(answer_));
  EXPECT_THAT(answer_to(fd, "GET /status HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"), HasSubstr(answer_));
}

TEST_F(HttpServerTest, AnswersRequestsThatComeTogetherInTheirOrder) {
  serve();
  const std::string answers = answer_to(connected(),
                                        "GET /status HTTP/1.1\r\nHost: x\r\n\r\n"
                                        "HEAD /status HTTP/1.1\r\nHost: x\r\n\r\n"
                                        "GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n"
                                        "GET /status HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  const std::size_t first = answers.find(answer_);
  const std::size_t missing = answers.find("404 Not Found");
  const std::size_t last = answers.find(answer_, missing);
  EXPECT_LT(first, missing);
  EXPECT_LT(missing, last);
  EXPECT_NE(last, std::string::npos) << answers;
  // The HEAD has a header alone.
  EXPECT_EQ(answers.find(answer_, first + 1), last);
}

TEST_F(HttpServerTest, SaysWhatIsWrongWithAQuestion) {
  serve();
  EXPECT_THAT(answer_to(connected(), "GET /status?top=many HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"),
              AllOf(HasSubstr("400 Bad Request"), HasSubstr("{\"error\":\"top=many: a number from 1 to 10000\"}")));
  const SysResult<FetchedStatus> refused = fetch_status(path_, "top=7");
  ASSERT_TRUE(refused);
  EXPECT_FALSE(refused->accepted);
  EXPECT_EQ(refused->json, "{\"error\":\"top: \\\"7\\\" is not liked\"}");
}

TEST_F(HttpServerTest, AnOlderClientReadsToTheEndOfTheConnection) {
  serve();
  const std::string answer = answer_to(connected(), "GET /status HTTP/1.0\r\n\r\n");
  EXPECT_TRUE(answer.ends_with("\r\n\r\n" + answer_)) << answer;
}

// What a client does not read is not made.
TEST_F(HttpServerTest, AClientThatDoesNotReadHoldsNoMoreThanItsSocket) {
  std::atomic<std::size_t> pieces = 0;
  auto server = listen_http(context_, path_,
                            routes_for([&](const StatusQuery&) { return std::make_unique<EndlessStatus>(pieces); }));
  ASSERT_TRUE(server) << server.error().to_string();
  const UniqueFd client = connected();
  const std::string request = "GET /status HTTP/1.1\r\nHost: x\r\n\r\n";
  ASSERT_EQ(::send(client.get(), request.data(), request.size(), MSG_NOSIGNAL), static_cast<ssize_t>(request.size()));
  std::size_t before = 1;
  for (int i = 0; i < 1000 && pieces != before; ++i) {
    before = pieces;
    context_.run_for(std::chrono::milliseconds(50));
  }
  EXPECT_EQ(pieces, before);
  EXPECT_LT(pieces, 1000U);
  server_.emplace(std::move(*server));
  server_.reset();
}

TEST_F(HttpServerTest, SilentClientsAreSentAwayByTheirTimeOut) {
  serve();
  const UniqueFd silent = connected();
  EXPECT_TRUE(fetch_status(path_, ""));
  pollfd closed{silent.get(), POLLIN, 0};
  EXPECT_EQ(::poll(&closed, 1, 30'000), 1);
}

// Whoever holds connections keeps nobody from asking.
TEST_F(HttpServerTest, ANewcomerTakesThePlaceOfTheClientThatWasWaitedForLongest) {
  serve();
  constexpr std::size_t kMany = 200;
  std::vector<UniqueFd> silent;
  for (std::size_t i = 0; i < kMany; ++i) {
    silent.push_back(connected());
    // Some ask half a question.
    const std::string begun = i % 2 == 0 ? "GET" : "";
    EXPECT_EQ(::send(silent.back().get(), begun.data(), begun.size(), MSG_NOSIGNAL),
              static_cast<ssize_t>(begun.size()));
  }
  EXPECT_TRUE(fetch_status(path_, ""));
  const auto is_closed = [](const UniqueFd& client) {
    pollfd closed{client.get(), POLLIN, 0};
    return ::poll(&closed, 1, 0) == 1;
  };
  EXPECT_TRUE(is_closed(silent.front()));
  EXPECT_FALSE(is_closed(silent.back()));
}

// A relay with very many joins may use up its descriptors: that must not become a loop without rest.
TEST_F(HttpServerTest, RestsWhileThereIsNoDescriptorForAClient) {
  auto server = listen_http(context_, path_, routes());
  ASSERT_TRUE(server) << server.error().to_string();
  const UniqueFd client = connected();
  rlimit before{};
  ASSERT_EQ(::getrlimit(RLIMIT_NOFILE, &before), 0);
  const rlimit none{0, before.rlim_max};
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &none), 0);
  const std::size_t handlers = context_.run_for(std::chrono::milliseconds(100));
  ASSERT_EQ(::setrlimit(RLIMIT_NOFILE, &before), 0);
  EXPECT_LE(handlers, 10U);
  // Served as soon as there is one again.
  thread_ = std::thread([this] { context_.run(); });
  server_.emplace(std::move(*server));
  EXPECT_THAT(answer_to(client, "GET /status HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"), HasSubstr(answer_));
}

// As a relay does whose workers are asked first.
TEST_F(HttpServerTest, AnAnswerMayComeLaterOrNeverAndTheOthersDoNotWait) {
  std::vector<StatusStream::Deliver> asked;
  auto server =
      listen_http(context_, path_, routes_for([&](const StatusQuery&) { return std::make_unique<HeldStatus>(asked); }));
  ASSERT_TRUE(server) << server.error().to_string();
  const UniqueFd first = connected();
  const UniqueFd second = connected();
  const std::string request = "GET /status HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
  for (const UniqueFd* fd : {&first, &second}) {
    ASSERT_EQ(::send(fd->get(), request.data(), request.size(), MSG_NOSIGNAL), static_cast<ssize_t>(request.size()));
  }
  for (int i = 0; i < 1000 && asked.size() < 2; ++i) context_.run_for(std::chrono::milliseconds(10));
  ASSERT_EQ(asked.size(), 2U);
  asked[1](answer_);
  for (int i = 0; i < 1000 && asked.size() < 3; ++i) context_.run_for(std::chrono::milliseconds(10));
  ASSERT_EQ(asked.size(), 3U);  // what follows that piece
  asked[2]("");
  pollfd answered{second.get(), POLLIN, 0};
  for (int i = 0; i < 1000 && ::poll(&answered, 1, 0) == 0; ++i) context_.run_for(std::chrono::milliseconds(10));
  EXPECT_THAT(rest_of(second, 1000), HasSubstr(answer_));
  // The server ends before the other answer comes.
  server_.emplace(std::move(*server));
  server_.reset();
  asked[0](answer_);
  asked.clear();
  context_.restart();
  context_.poll();
}

TEST_F(HttpServerTest, AnExplicitPathThatCannotBeUsedIsAnErrorADefaultOneIsNot) {
  EXPECT_FALSE(listen_control(context_, "relay", folder_ + "/a/b/c.sock", routes()));
  ASSERT_EQ(::setenv("XDG_RUNTIME_DIR", folder_.c_str(), 1), 0);
  // A role of its own: nothing that runs on this machine is disturbed. /run may be writable or not.
  const bool had_directory = std::filesystem::exists("/run/amt");
  auto server = listen_control(context_, "unit-test", std::nullopt, routes());
  ASSERT_TRUE(server);
  ASSERT_TRUE(*server);
  EXPECT_THAT(default_control_paths("unit-test"), ::testing::Contains((*server)->path()));
  EXPECT_TRUE(std::filesystem::is_socket((*server)->path()));
  // Another one beside it takes the other default place, if there is one; when all are taken it goes on without.
  const auto second = listen_control(context_, "unit-test", std::nullopt, routes());
  ASSERT_TRUE(second);
  EXPECT_TRUE(!*second || (*second)->path() != (*server)->path());
  const auto third = listen_control(context_, "unit-test", std::nullopt, routes());
  ASSERT_TRUE(third);
  EXPECT_FALSE(*third);
  server->reset();
  std::error_code ignored;
  if (!had_directory) std::filesystem::remove("/run/amt", ignored);
}

}  // namespace
}  // namespace amt
