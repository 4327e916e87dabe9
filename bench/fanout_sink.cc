/// Many gateways in one process: each a socket that joins one channel at the relay, and then only counts the Data that
/// comes. Prints `joined`; then, for each octet on standard input, how many datagrams have come so far. Ends with its
/// input.

#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <vector>

#include "arguments.hh"
#include "membership/message.hh"
#include "sys/socket_address.hh"
#include "sys/unique_fd.hh"
#include "wire/message.hh"

namespace amt {
namespace {

// Whatever happens, it ends.
constexpr unsigned kSecondsMax = 120;
constexpr int kTriesMax = 10;
constexpr int kAnswerMilliseconds = 300;
// Above those of 16 bits, by which a relay would take us for js4ms.
constexpr std::uint32_t kFirstNonce = 0x01000000;

UniqueFd open_socket(const Endpoint& local) {
  UniqueFd socket(::socket(address_family(local.address.family()), SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const int octets = 4 << 20;
  // As much as we may have: where the first is forbidden, the system's limit.
  if (::setsockopt(socket.get(), SOL_SOCKET, SO_RCVBUFFORCE, &octets, sizeof octets) != 0) {
    ::setsockopt(socket.get(), SOL_SOCKET, SO_RCVBUF, &octets, sizeof octets);
  }
  const SocketAddress address(local);
  if (::bind(socket.get(), address.data(), address.size()) != 0) Arguments::fail("bind", std::strerror(errno));
  return socket;
}

void send(int fd, const SocketAddress& to, Bytes message) {
  if (::sendto(fd, message.data(), message.size(), 0, to.data(), to.size()) < 0) {
    Arguments::fail("sendto", std::strerror(errno));
  }
}

/// Request, Query, Update (RFC 7450 §4.2.1.2).
void join(int fd, const SocketAddress& relay, wire::RequestNonce nonce, Bytes report) {
  std::array<std::byte, 1500> buffer{};
  for (int tries = 0; tries < kTriesMax; ++tries) {
    ByteWriter request(buffer);
    wire::Request{.nonce = nonce}.write(request);
    send(fd, relay, request.output());
    pollfd ready{fd, POLLIN, 0};
    if (::poll(&ready, 1, kAnswerMilliseconds) <= 0) continue;
    const ssize_t octets = ::recv(fd, buffer.data(), buffer.size(), 0);
    if (octets <= 0) continue;
    const auto query = wire::MembershipQuery::parse(Bytes(buffer).first(static_cast<std::size_t>(octets)));
    if (!query || query->nonce != nonce) continue;
    const wire::MembershipUpdate answer{.mac = query->mac, .nonce = nonce, .datagram = report};
    ByteWriter update(buffer);
    answer.write(update);
    send(fd, relay, update.output());
    return;
  }
  Arguments::fail("no Membership Query", "from the relay");
}

/// Takes what waits; only the beginning of each datagram is copied.
class Counter {
 public:
  Counter() {
    for (std::size_t i = 0; i < kAtOnce; ++i) {
      vectors_[i] = {&first_octets_[i], 1};
      messages_[i].msg_hdr.msg_iov = &vectors_[i];
      messages_[i].msg_hdr.msg_iovlen = 1;
    }
  }
  void drain(int fd) {
    // Others get their turn: a sender that is faster than we are cannot keep us here.
    for (int turn = 0; turn < 16; ++turn) {
      const int received = ::recvmmsg(fd, messages_.data(), kAtOnce, MSG_DONTWAIT, nullptr);
      if (received <= 0) return;
      for (std::size_t i = 0; i < static_cast<std::size_t>(received); ++i) {
        count_ += first_octets_[i] == wire::kDataHeader[0] ? 1U : 0U;
      }
      if (static_cast<std::size_t>(received) < kAtOnce) return;
    }
  }
  [[nodiscard]] unsigned long long count() const { return count_; }

 private:
  static constexpr std::size_t kAtOnce = 64;
  std::array<std::byte, kAtOnce> first_octets_{};
  std::array<iovec, kAtOnce> vectors_{};
  std::array<mmsghdr, kAtOnce> messages_{};
  unsigned long long count_ = 0;
};

}  // namespace
}  // namespace amt

int main(int argument_count, char** values) {
  amt::Arguments arguments(argument_count, values, 5, "RELAY:PORT LOCAL:FIRST_PORT GATEWAYS SOURCE GROUP");
  const amt::SocketAddress relay(arguments.endpoint());
  const amt::Endpoint local = arguments.endpoint();
  const auto gateways = arguments.number<std::uint16_t>();
  const amt::IpAddress source = arguments.endpoint().address;
  const amt::IpAddress group = arguments.endpoint().address;
  ::alarm(amt::kSecondsMax);

  const amt::GroupRecord record{amt::RecordType::kAllowNewSources, group, {source}};
  const std::vector<std::byte> report = amt::write_report(local.address, {&record, 1});
  std::vector<amt::UniqueFd> sockets;
  for (std::uint16_t i = 0; i < gateways; ++i) {
    sockets.push_back(amt::open_socket({local.address, static_cast<std::uint16_t>(local.port + i)}));
    amt::join(sockets.back().get(), relay, {amt::kFirstNonce + i}, report);
  }
  std::puts("joined");
  std::fflush(stdout);

  // Nobody sleeps on the sockets, so that no sender pays for waking us up.
  amt::Counter counter;
  pollfd input{STDIN_FILENO, POLLIN, 0};
  for (;;) {
    const bool asked = ::poll(&input, 1, 1) > 0;
    for (const amt::UniqueFd& socket : sockets) counter.drain(socket.get());
    if (!asked) continue;
    char octet = 0;
    if (::read(STDIN_FILENO, &octet, 1) <= 0) return 0;
    std::printf("%llu\n", counter.count());
    std::fflush(stdout);
  }
}
