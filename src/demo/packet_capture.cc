#include "demo/packet_capture.hh"

#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/if_arp.h>
#include <netinet/if_ether.h>
#include <sys/socket.h>
#include <time.h>

#include <array>
#include <cstring>

namespace amt {
namespace {

/// The longest IP datagram there is.
constexpr std::size_t kDatagramOctetsMax = 65'535 + 40;
/// The most that one call takes, so that a flood cannot hold its caller.
constexpr int kDrainMax = 10'000;
/// Seconds of a stream of a few Mbit/s. The system may give less (net.core.rmem_max).
constexpr int kReceiveBufferOctets = 4 << 20;

SysResult<UniqueFd> open_socket() {
  // Cooked: without the link header, which differs between Ethernet and a tunnel interface.
  UniqueFd socket(::socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, htons(ETH_P_ALL)));
  if (!socket) return tl::unexpected(SysError::last("socket", "AF_PACKET"));
  const int octets = kReceiveBufferOctets;
  const int on = 1;
  if (::setsockopt(socket.get(), SOL_SOCKET, SO_RCVBUF, &octets, sizeof octets) != 0 ||
      ::setsockopt(socket.get(), SOL_SOCKET, SO_TIMESTAMPNS, &on, sizeof on) != 0) {
    return tl::unexpected(SysError::last("setsockopt", "AF_PACKET"));
  }
  return socket;
}

Duration stamp_of(msghdr& message) {
  for (cmsghdr* item = CMSG_FIRSTHDR(&message); item != nullptr; item = CMSG_NXTHDR(&message, item)) {
    if (item->cmsg_level != SOL_SOCKET || item->cmsg_type != SCM_TIMESTAMPNS) continue;
    timespec time{};
    std::memcpy(&time, CMSG_DATA(item), sizeof time);
    return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
  }
  return {};
}

}  // namespace

PacketCapture::PacketCapture(UniqueFd socket) : socket_(std::move(socket)), buffer_(kDatagramOctetsMax) {}

SysResult<PacketCapture> PacketCapture::open(const NetworkNamespace& place) {
  SysResult<SysResult<UniqueFd>> opened = place.run([] { return open_socket(); });
  if (!opened) return tl::unexpected(opened.error());
  if (!*opened) return tl::unexpected(opened->error());
  return PacketCapture(std::move(**opened));
}

void PacketCapture::drain(const std::function<void(const SeenDatagram&)>& handler) {
  for (int i = 0; i < kDrainMax; ++i) {
    sockaddr_ll from{};
    alignas(cmsghdr) std::array<std::byte, CMSG_SPACE(sizeof(timespec))> control{};
    iovec piece{buffer_.data(), buffer_.size()};
    msghdr message{};
    message.msg_name = &from;
    message.msg_namelen = sizeof from;
    message.msg_iov = &piece;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    const ssize_t octets = ::recvmsg(socket_.get(), &message, MSG_DONTWAIT);
    if (octets < 0) return;
    const int protocol = ntohs(from.sll_protocol);
    if (from.sll_hatype == ARPHRD_LOOPBACK || (protocol != ETH_P_IP && protocol != ETH_P_IPV6)) continue;
    handler({stamp_of(message), from.sll_pkttype == PACKET_OUTGOING,
             Bytes(buffer_).first(static_cast<std::size_t>(octets))});
  }
}

std::uint64_t PacketCapture::drops() {
  tpacket_stats statistics{};
  socklen_t length = sizeof statistics;
  // Reading resets the kernel's count.
  if (::getsockopt(socket_.get(), SOL_PACKET, PACKET_STATISTICS, &statistics, &length) == 0) {
    drops_ += statistics.tp_drops;
  }
  return drops_;
}

}  // namespace amt
