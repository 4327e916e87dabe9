#include "io/peer_sockets.hh"

#include <netinet/udp.h>
#include <sys/epoll.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <ctime>

#include "io/control_message.hh"
#include "io/peer_error.hh"
#include "sys/clock.hh"
#include "sys/socket_address.hh"

namespace amt {
namespace {

constexpr std::size_t kBufferOctets = 65'535;
/// The kernel's default holds about 90 full datagrams: one that waits while ten thousand others are served needs more.
constexpr int kReceiveBufferOctets = 1 << 20;
/// Sockets that are served in one round.
constexpr std::size_t kEventsMax = 64;

struct Control {
  alignas(cmsghdr) std::array<std::byte, CMSG_SPACE(sizeof(int)) + CMSG_SPACE(sizeof(std::uint32_t)) +
                                             CMSG_SPACE(sizeof(timespec))> octets;
};

/// Without these nothing is wrong, only slower or less well counted.
void configure(int fd) {
  const int on = 1;
  ::setsockopt(fd, IPPROTO_UDP, UDP_GRO, &on, sizeof on);
  ::setsockopt(fd, SOL_SOCKET, SO_RXQ_OVFL, &on, sizeof on);
  ::setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on);
  if (::setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &kReceiveBufferOctets, sizeof kReceiveBufferOctets) != 0) {
    ::setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &kReceiveBufferOctets, sizeof kReceiveBufferOctets);
  }
}

Duration since_1970(const timespec& time) {
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

}  // namespace

SysResult<PeerSockets> PeerSockets::open(const Endpoint& peer, std::span<const IpAddress> local, std::size_t count) {
  PeerSockets sockets;
  sockets.epoll_ = UniqueFd(::epoll_create1(EPOLL_CLOEXEC));
  if (!sockets.epoll_) return tl::unexpected(SysError::last("epoll_create1"));
  sockets.buffer_.resize(kBufferOctets);
  const SocketAddress to(peer);
  for (std::size_t i = 0; i < count; ++i) {
    UniqueFd fd(::socket(address_family(peer.address.family()), SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
    if (!fd) return tl::unexpected(SysError::last("socket"));
    configure(fd.get());
    if (!local.empty()) {
      const IpAddress& address = local[i % local.size()];
      const SocketAddress from({address, 0});
      if (::bind(fd.get(), from.data(), from.size()) != 0) {
        return tl::unexpected(SysError::last("bind", address.to_string()));
      }
    }
    if (::connect(fd.get(), to.data(), to.size()) != 0) {
      return tl::unexpected(SysError::last("connect", peer.to_string()));
    }
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.u64 = i;
    if (::epoll_ctl(sockets.epoll_.get(), EPOLL_CTL_ADD, fd.get(), &event) != 0) {
      return tl::unexpected(SysError::last("epoll_ctl"));
    }
    sockets.sockets_.push_back({std::move(fd)});
  }
  return sockets;
}

bool PeerSockets::receive(const Visit& visit) {
  std::array<epoll_event, kEventsMax> events;
  const int count = ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), 0);
  timespec day{};
  ::clock_gettime(CLOCK_REALTIME, &day);
  const Duration offset = monotonic_now().time_since_epoch() - since_1970(day);
  for (std::size_t i = 0; i < static_cast<std::size_t>(std::max(count, 0)); ++i) {
    receive_at(events[i].data.u64, offset, visit);
  }
  return count == static_cast<int>(events.size());
}

void PeerSockets::receive_at(std::size_t index, Duration offset, const Visit& visit) {
  // One message of any number: epoll reports the rest after the other sockets had their turn.
  Socket& socket = sockets_[index];
  Control control;
  iovec vector{buffer_.data(), buffer_.size()};
  msghdr header{};
  header.msg_iov = &vector;
  header.msg_iovlen = 1;
  header.msg_control = control.octets.data();
  header.msg_controllen = control.octets.size();
  const ssize_t octets = ::recvmsg(socket.fd.get(), &header, 0);
  if (octets < 0) return;
  std::size_t segment = 0;
  Instant arrived = kNoDeadline;
  for (const cmsghdr* c = CMSG_FIRSTHDR(&header); c != nullptr; c = CMSG_NXTHDR(&header, const_cast<cmsghdr*>(c))) {
    if (c->cmsg_level == IPPROTO_UDP && c->cmsg_type == UDP_GRO) {
      segment = static_cast<std::size_t>(std::max(0, control_value<int>(*c).value_or(0)));
    } else if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SO_RXQ_OVFL) {
      const std::uint32_t drops = control_value<std::uint32_t>(*c).value_or(socket.drops);
      receive_drops_ += drops - socket.drops;
      socket.drops = drops;
    } else if (c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_TIMESTAMPNS) {
      if (const auto stamp = control_value<timespec>(*c)) arrived = Instant(since_1970(*stamp) + offset);
    }
  }
  const Instant now = monotonic_now();
  // A clock that was set meanwhile, or no stamp.
  arrived = std::min(arrived, now);
  Bytes rest = Bytes(buffer_).first(static_cast<std::size_t>(octets));
  do {
    const Bytes datagram = rest.first(segment == 0 ? rest.size() : std::min(segment, rest.size()));
    visit(index, datagram, now, arrived);
    rest = rest.subspan(datagram.size());
  } while (!rest.empty());
}

int PeerSockets::send(std::size_t socket, Bytes datagram) {
  for (SendTries tries; ::send(sockets_[socket].fd.get(), datagram.data(), datagram.size(), 0) < 0;) {
    const int code = errno;
    if (!tries.again(code)) return code;
  }
  return 0;
}

}  // namespace amt
