/// `amt serve` as a process, with a player on loopback.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "cli/subprocess_test_support.hh"
#include "engine/serve/serve_test_support.hh"

namespace amt::cli_test {
namespace {

using ::testing::HasSubstr;

class ServeSubcommand : public WithRelay {
 protected:
  std::unique_ptr<Subprocess> start_serve(std::vector<std::string> more = {}) {
    std::vector<std::string> arguments{"serve", "--relay", "127.0.0.1", "--listen", "unix:" + path()};
    arguments.insert(arguments.end(), more.begin(), more.end());
    auto serve = std::make_unique<Subprocess>(
        [&] { return run_serve(config_of<ServeConfig>(arguments), unconfined()); }, folder_.path("serve.log"));
    EXPECT_TRUE(serve->says("serve ready on http://unix:" + path() + "/")) << serve->log();
    return serve;
  }
  static Said refused(std::vector<std::string> more) {
    more.insert(more.begin(), {"serve", "--relay", "127.0.0.1"});
    return said_by([&] { return run_serve(config_of<ServeConfig>(more), unconfined()); });
  }
  [[nodiscard]] std::string path() const { return folder_.path("serve.sock"); }

  /// The answer to a GET, to its end or so many octets.
  [[nodiscard]] std::string get(const std::string& target, std::size_t octets_min = SIZE_MAX) const {
    const UniqueFd socket(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_un to{};
    to.sun_family = AF_UNIX;
    path().copy(to.sun_path, sizeof to.sun_path - 1);
    // The C interface takes every kind of address so.
    EXPECT_EQ(::connect(socket.get(), reinterpret_cast<const sockaddr*>(&to), sizeof to), 0);
    const timeval patience{.tv_sec = 60, .tv_usec = 0};
    ::setsockopt(socket.get(), SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    const std::string request = "GET " + target + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    EXPECT_EQ(::send(socket.get(), request.data(), request.size(), MSG_NOSIGNAL), static_cast<ssize_t>(request.size()));
    std::string out;
    char piece[65536];
    for (ssize_t got = 0; out.size() < octets_min && (got = ::recv(socket.get(), piece, sizeof piece, 0)) > 0;) {
      out.append(piece, static_cast<std::size_t>(got));
    }
    return out;
  }
};

TEST_F(ServeSubcommand, PlaysAChannelToWhoeverAsks) {
  const auto relay = start_relay();
  const auto serve = start_serve();
  // A video of an hour: key frames a second apart, sent at a rate of its own.
  std::string video;
  for (int second = 0; second < 200; ++second) {
    test::Octets packets = test::tables();
    test::append(packets, test::key_frame(second, second));
    for (const std::byte octet : packets) video += std::to_integer<char>(octet);
  }
  const std::string file = folder_.write("video.ts", video);
  const Subprocess source(
      [&] {
        return run_send(config_of<SendConfig>(
                            {"send", "232.1.1.1:5001", file, "--interface", "near", "--size", "564", "--rate", "50k"}),
                        unconfined());
      },
      folder_.path("source.log"));
  const std::string answer = get("/amt/198.51.100.10@232.1.1.1:5001", 1000);
  EXPECT_THAT(answer, HasSubstr("200 OK"));
  EXPECT_THAT(answer, HasSubstr("video/mp2t"));
  EXPECT_THAT(get("/status"), HasSubstr("200 OK"));
  EXPECT_EQ(serve->stop(), 0) << serve->log();
  EXPECT_NE(::access(path().c_str(), F_OK), 0);
}

TEST_F(ServeSubcommand, ReadsItsPlaylistAgain) {
  const std::string list = folder_.write("list.m3u", "amt://198.51.100.10@232.1.1.1:5001\n");
  const auto serve = start_serve({"--playlist", list});
  EXPECT_THAT(get("/playlist.m3u"), HasSubstr("/amt/198.51.100.10@232.1.1.1:5001"));
  folder_.write("list.m3u", "amt://198.51.100.10@232.1.1.2:5001\namt://198.51.100.10@232.1.1.3:5001\n");
  serve->signal(SIGHUP);
  EXPECT_TRUE(serve->says("SIGHUP: the playlist has 2 entries"));
  ::unlink(list.c_str());
  serve->signal(SIGHUP);
  EXPECT_TRUE(serve->says("the list stays as it was"));
  EXPECT_EQ(serve->stop(), 0);
}

TEST_F(ServeSubcommand, FailsWithTheStatusOfTheMistake) {
  const Said list = refused({"--playlist", folder_.path("none")});
  EXPECT_EQ(list.status, 2);
  EXPECT_THAT(list.errors, HasSubstr("--playlist " + folder_.path("none") + ": cannot be read"));
  const Said large = refused({"--playlist", folder_.write("large", std::string((4 << 20) + 1, '#'))});
  EXPECT_EQ(large.status, 2);
  EXPECT_THAT(large.errors, HasSubstr("larger than 4 MiB"));
  const Said native = refused({"--native=eth9"});
  EXPECT_EQ(native.status, 2);
  const Said listen = refused({"--listen", "192.0.2.99:4022"});
  EXPECT_EQ(listen.status, 1);
  EXPECT_THAT(listen.errors, HasSubstr("this host has no such address"));
  CommonConfig check = unconfined();
  check.check_config = true;
  const Said checked = said_by([&] { return run_serve(config_of<ServeConfig>({"serve"}), check); });
  EXPECT_EQ(checked.status, 0);
}

}  // namespace
}  // namespace amt::cli_test
