/// The least that a program does which gives one stream to many: UDP datagrams in, and every 40 ms what has come to
/// each TCP connection. The baseline of `amt serve`. Prints `ready` when it listens.

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>
#include <list>
#include <string_view>
#include <vector>

#include "arguments.hh"
#include "sockets.hh"

namespace amt {
namespace {

/// As `amt serve` has with a thousand viewers, and what it gives each.
constexpr long kFlushNanoseconds = 40'000'000;
constexpr int kSendBufferOctets = 256 * 1024;
constexpr std::size_t kRingOctets = 16 << 20;
constexpr std::size_t kDatagramOctetsMax = 2048;
constexpr std::string_view kHeader = "HTTP/1.1 200 OK\r\nContent-Type: video/mp2t\r\n\r\n";

class Fan {
 public:
  Fan(const Endpoint& in, const Endpoint& listen)
      : epoll_(::epoll_create1(EPOLL_CLOEXEC)),
        in_(bind_socket(in, SOCK_NONBLOCK)),
        listening_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)),
        timer_(::timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC)),
        ring_(kRingOctets + kDatagramOctetsMax) {
    const SocketAddress address(listen);
    set_option(listening_.get(), SOL_SOCKET, SO_REUSEADDR, int{1}, "SO_REUSEADDR");
    if (::bind(listening_.get(), address.data(), address.size()) != 0 || ::listen(listening_.get(), SOMAXCONN) != 0) {
      Arguments::fail("listen", std::strerror(errno));
    }
    const itimerspec every{{0, kFlushNanoseconds}, {0, kFlushNanoseconds}};
    ::timerfd_settime(timer_.get(), 0, &every, nullptr);
    for (const int fd : {in_.get(), listening_.get(), timer_.get()}) watch(fd);
  }

  void run() {
    std::array<epoll_event, 256> events{};
    while (true) {
      const int ready = ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), -1);
      for (int i = 0; i < ready; ++i) {
        const int fd = events[static_cast<std::size_t>(i)].data.fd;
        if (fd == in_.get()) {
          receive();
        } else if (fd == listening_.get()) {
          accept();
        } else if (fd == timer_.get()) {
          flush();
        }
      }
    }
  }

 private:
  struct Viewer {
    UniqueFd socket;
    std::uint64_t position = 0;
  };

  void watch(int fd) {
    epoll_event event{.events = EPOLLIN, .data = {.fd = fd}};
    if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0) Arguments::fail("epoll_ctl", std::strerror(errno));
  }

  void receive() {
    while (true) {
      const std::size_t at = end_ % kRingOctets;
      const ssize_t octets = ::recv(in_.get(), ring_.data() + at, kDatagramOctetsMax, 0);
      if (octets <= 0) return;
      const auto length = static_cast<std::size_t>(octets);
      if (at + length > kRingOctets) std::copy_n(ring_.data() + kRingOctets, at + length - kRingOctets, ring_.data());
      end_ += length;
    }
  }

  void accept() {
    Viewer viewer{UniqueFd(::accept4(listening_.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC)), end_};
    set_option(viewer.socket.get(), SOL_SOCKET, SO_SNDBUF, kSendBufferOctets, "SO_SNDBUF");
    set_option(viewer.socket.get(), IPPROTO_TCP, TCP_NODELAY, int{1}, "TCP_NODELAY");
    if (::send(viewer.socket.get(), kHeader.data(), kHeader.size(), 0) < 0)
      Arguments::fail("send", std::strerror(errno));
    viewers_.push_back(std::move(viewer));
  }

  /// What a socket does not take now goes with the next.
  void flush() {
    std::uint64_t times = 0;
    if (::read(timer_.get(), &times, sizeof times) < 0) return;
    for (Viewer& one : viewers_) {
      while (one.position != end_) {
        const std::size_t at = one.position % kRingOctets;
        const std::size_t length = std::min<std::size_t>(end_ - one.position, kRingOctets - at);
        const ssize_t sent = ::send(one.socket.get(), ring_.data() + at, length, MSG_NOSIGNAL);
        if (sent <= 0) break;
        one.position += static_cast<std::uint64_t>(sent);
      }
    }
  }

  UniqueFd epoll_;
  UniqueFd in_;
  UniqueFd listening_;
  UniqueFd timer_;
  /// A datagram may stick out; what sticks out is copied to the front.
  std::vector<std::byte> ring_;
  std::uint64_t end_ = 0;
  std::list<Viewer> viewers_;
};

}  // namespace
}  // namespace amt

int main(int count, char** values) {
  amt::Arguments arguments(count, values, 2, "LOCAL:PORT LISTEN:PORT");
  const amt::Endpoint in = arguments.endpoint();
  amt::Fan fan(in, arguments.endpoint());
  std::puts("ready");
  std::fflush(stdout);
  fan.run();
}
