/// Many viewers of one HTTP stream in one process, which read all that comes and look at none of it. Prints `joined`
/// when each has octets; then answers each octet on standard input with one line, and ends with its input:
///   c   how many octets have come so far
///   m   how many at least, and at most, of one viewer since the last m

#include <netinet/in.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cinttypes>
#include <cstdio>
#include <cstring>
#include <string>
#include <vector>

#include "arguments.hh"
#include "sockets.hh"

namespace amt {
namespace {

constexpr std::size_t kOctetsAtOnce = 1 << 20;
constexpr int kReceiveBufferOctets = 1 << 20;

struct Viewer {
  UniqueFd socket;
  std::uint64_t octets = 0;
  std::uint64_t octets_before = 0;
};

class Crowd {
 public:
  Crowd(const Endpoint& server, std::string_view path, std::size_t viewers)
      : epoll_(::epoll_create1(EPOLL_CLOEXEC)), viewers_(viewers) {
    const std::string request = "GET " + std::string(path) + " HTTP/1.1\r\nHost: " + server.to_string() + "\r\n\r\n";
    const SocketAddress address(server);
    for (std::size_t i = 0; i < viewers; ++i) {
      UniqueFd& socket = viewers_[i].socket;
      socket = UniqueFd(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
      set_option(socket.get(), SOL_SOCKET, SO_RCVBUF, kReceiveBufferOctets, "SO_RCVBUF");
      if (::connect(socket.get(), address.data(), address.size()) != 0)
        Arguments::fail("connect", std::strerror(errno));
      if (::send(socket.get(), request.data(), request.size(), 0) < 0) Arguments::fail("send", std::strerror(errno));
      watch(socket.get(), i);
    }
    watch(STDIN_FILENO, kInput);
  }

  void run() {
    std::array<epoll_event, 256> events{};
    while (true) {
      const int ready = ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), -1);
      for (int i = 0; i < ready; ++i) {
        const std::uint64_t which = events[static_cast<std::size_t>(i)].data.u64;
        if (which != kInput) {
          read(viewers_[which]);
        } else if (!answer()) {
          return;
        }
      }
    }
  }

 private:
  static constexpr std::uint64_t kInput = UINT64_MAX;

  void watch(int fd, std::uint64_t which) {
    epoll_event event{.events = EPOLLIN, .data = {.u64 = which}};
    if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0) Arguments::fail("epoll_ctl", std::strerror(errno));
  }

  void read(Viewer& viewer) {
    // tcp(7): the octets are discarded.
    const ssize_t octets = ::recv(viewer.socket.get(), nullptr, kOctetsAtOnce, MSG_TRUNC | MSG_DONTWAIT);
    if (octets == 0 || (octets < 0 && errno != EAGAIN)) Arguments::fail("a viewer", "the stream has ended");
    if (octets < 0) return;
    if (viewer.octets == 0 && ++begun_ == viewers_.size()) say("joined\n");
    viewer.octets += static_cast<std::uint64_t>(octets);
    all_ += static_cast<std::uint64_t>(octets);
  }

  /// False: there is no more input.
  bool answer() {
    char what = 0;
    if (::read(STDIN_FILENO, &what, 1) <= 0) return false;
    if (what == 'c') {
      say(std::to_string(all_) + "\n");
      return true;
    }
    std::uint64_t least = UINT64_MAX;
    std::uint64_t most = 0;
    for (Viewer& one : viewers_) {
      least = std::min(least, one.octets - one.octets_before);
      most = std::max(most, one.octets - one.octets_before);
      one.octets_before = one.octets;
    }
    say(std::to_string(least) + " " + std::to_string(most) + "\n");
    return true;
  }

  static void say(const std::string& line) {
    std::fputs(line.c_str(), stdout);
    std::fflush(stdout);
  }

  UniqueFd epoll_;
  std::vector<Viewer> viewers_;
  std::size_t begun_ = 0;
  std::uint64_t all_ = 0;
};

}  // namespace
}  // namespace amt

int main(int count, char** values) {
  amt::Arguments arguments(count, values, 3, "SERVER:PORT PATH VIEWERS");
  const amt::Endpoint server = arguments.endpoint();
  const std::string_view path = arguments.text();
  amt::Crowd(server, path, arguments.number<std::size_t>()).run();
}
