/// Receives and counts. Either many gateways in one process, each a socket that joins channels at the relay and then
/// only takes the Data that comes; or one ordinary listener, joined natively. Prints `joined`; then answers each octet
/// on standard input with one line, and ends with its input:
///   c   how many datagrams have come so far
///   t   nanoseconds from the time of day that ends each datagram to its arrival at the socket, of those since the last
///   t

#include <netinet/in.h>
#include <poll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <optional>
#include <vector>

#include "arguments.hh"
#include "membership/message.hh"
#include "sockets.hh"
#include "wire/message.hh"

namespace amt {
namespace {

constexpr char kUsage[] =
    "gateways count|times RELAY:PORT LOCAL:FIRST_PORT GATEWAYS SOURCE FIRST_GROUP CHANNELS JOINS\n"
    "     | listener count|times INTERFACE GROUP:PORT 1 SOURCE GROUP 1 1\n"
    "Gateway i, counted from 0, joins JOINS channels from number i * JOINS on, modulo CHANNELS. Gateways have further\n"
    "ports of LOCAL, or with FIRST_PORT 0 further addresses after LOCAL.";
constexpr int kTriesMax = 10;
constexpr int kAnswerMilliseconds = 300;
// Above those of 16 bits, by which a relay would take us for js4ms.
constexpr std::uint32_t kFirstNonce = 0x01000000;
// What an Update of one packet has room for: 12 octets each.
constexpr std::size_t kRecordsMax = 100;

/// One descriptor for each gateway, and some.
void allow_descriptors(std::size_t count) {
  rlimit limit{};
  ::getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = std::min<rlim_t>(limit.rlim_max, count + 16);
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

void send(int fd, const SocketAddress& to, Bytes message) {
  if (::sendto(fd, message.data(), message.size(), 0, to.data(), to.size()) < 0) {
    Arguments::fail("sendto", std::strerror(errno));
  }
}

/// Request, Query, Updates (RFC 7450 §4.2.1.2).
void join(int fd, const SocketAddress& relay, wire::RequestNonce nonce,
          const std::vector<std::vector<std::byte>>& reports) {
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
    const wire::ResponseMac mac = query->mac;
    for (const std::vector<std::byte>& report : reports) {
      ByteWriter update(buffer);
      wire::MembershipUpdate{.mac = mac, .nonce = nonce, .datagram = report}.write(update);
      send(fd, relay, update.output());
    }
    return;
  }
  Arguments::fail("no Membership Query", "from the relay");
}

std::vector<std::vector<std::byte>> reports_of(const IpAddress& reporter, const IpAddress& source,
                                               const IpAddress& first_group, std::uint32_t channels,
                                               std::uint32_t first, std::uint32_t joins) {
  std::vector<std::vector<std::byte>> out;
  std::vector<GroupRecord> records;
  for (std::uint32_t i = 0; i < joins; ++i) {
    records.push_back({RecordType::kAllowNewSources, nth_address(first_group, (first + i) % channels), {source}});
    if (records.size() < kRecordsMax && i + 1 < joins) continue;
    out.push_back(write_report(reporter, records));
    records.clear();
  }
  return out;
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

/// How long each datagram took, by the kernel's own time stamp: when this process wakes up does not matter.
class Stopwatch {
 public:
  void drain(int fd) {
    for (int turn = 0; turn < 1024 && take(fd); ++turn) {
    }
  }
  [[nodiscard]] unsigned long long count() const { return count_; }
  void print() {
    for (const long long nanoseconds : nanoseconds_) std::printf("%lld ", nanoseconds);
    std::printf("\n");
    nanoseconds_.clear();
  }

 private:
  bool take(int fd) {
    iovec vector{octets_.data(), octets_.size()};
    msghdr message{};
    message.msg_iov = &vector;
    message.msg_iovlen = 1;
    message.msg_control = control_.data();
    message.msg_controllen = control_.size();
    const ssize_t octets = ::recvmsg(fd, &message, MSG_DONTWAIT);
    if (octets < 0) return false;
    ++count_;
    std::int64_t sent = 0;
    const cmsghdr* const stamp = CMSG_FIRSTHDR(&message);
    if (stamp == nullptr || stamp->cmsg_type != SCM_TIMESTAMPNS || static_cast<std::size_t>(octets) < sizeof sent) {
      return true;
    }
    timespec arrived{};
    std::memcpy(&arrived, CMSG_DATA(stamp), sizeof arrived);
    std::memcpy(&sent, octets_.data() + octets - sizeof sent, sizeof sent);
    nanoseconds_.push_back(std::int64_t{arrived.tv_sec} * 1'000'000'000 + arrived.tv_nsec - sent);
    return true;
  }

  std::array<std::byte, 2048> octets_{};
  alignas(cmsghdr) std::array<std::byte, 256> control_{};
  std::vector<long long> nanoseconds_;
  unsigned long long count_ = 0;
};

/// Until standard input ends. Nobody sleeps on the sockets, so that no sender pays for waking us up.
template <typename Reader>
void serve(const std::vector<UniqueFd>& sockets) {
  Reader reader;
  pollfd input{STDIN_FILENO, POLLIN, 0};
  for (;;) {
    const bool asked = ::poll(&input, 1, 1) > 0;
    for (const UniqueFd& socket : sockets) reader.drain(socket.get());
    if (!asked) continue;
    char octet = 0;
    if (::read(STDIN_FILENO, &octet, 1) <= 0) return;
    if constexpr (requires { reader.print(); }) {
      if (octet == 't') reader.print();
    }
    if (octet == 'c') std::printf("%llu\n", reader.count());
    std::fflush(stdout);
  }
}

}  // namespace
}  // namespace amt

int main(int argument_count, char** values) {
  amt::Arguments arguments(argument_count, values, 9, amt::kUsage);
  const bool by_tunnel = arguments.text() == "gateways";
  const bool times = arguments.text() == "times";
  const std::string from(arguments.text());
  const amt::Endpoint local = arguments.endpoint();
  const auto gateways = arguments.number<std::uint16_t>();
  const amt::IpAddress source = arguments.endpoint().address;
  const amt::IpAddress group = arguments.endpoint().address;
  const auto channels = arguments.number<std::uint32_t>();
  const auto joins = arguments.number<std::uint32_t>();
  amt::allow_descriptors(gateways);

  const amt::SocketAddress relay(amt::Endpoint::parse(from, 0).value_or(amt::Endpoint()));
  std::vector<amt::UniqueFd> sockets;
  for (std::uint16_t i = 0; i < gateways; ++i) {
    const amt::Endpoint own = local.port == 0
                                  ? amt::Endpoint{amt::nth_address(local.address, i), 0}
                                  : amt::Endpoint{local.address, static_cast<std::uint16_t>(local.port + i)};
    sockets.push_back(amt::bind_socket(own, SOCK_NONBLOCK));
    const int fd = sockets.back().get();
    if (by_tunnel) {
      amt::join(fd, relay, {amt::kFirstNonce + i},
                amt::reports_of(own.address, source, group, channels, i * joins, joins));
    } else {
      amt::join_natively(fd, from, source, group);
    }
    if (times) amt::set_option(fd, SOL_SOCKET, SO_TIMESTAMPNS, int{1}, "SO_TIMESTAMPNS");
  }
  std::puts("joined");
  std::fflush(stdout);
  if (times) {
    amt::serve<amt::Stopwatch>(sockets);
  } else {
    amt::serve<amt::Counter>(sockets);
  }
}
