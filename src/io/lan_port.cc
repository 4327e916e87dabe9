#include "io/lan_port.hh"

#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <vector>

#include "io/membership_filter.hh"
#include "ip/ethernet.hh"

namespace amt {
namespace {

constexpr std::size_t kReceiveMax = 32;
/// More than any report on a link with jumbo frames; a longer one is cut, and the parser refuses it.
constexpr std::size_t kSlotOctets = 16384;
constexpr std::size_t kSendMax = 64;
/// The default holds some 90 packets, less than one read of the tunnel gives.
constexpr int kSendBufferOctets = 4 << 20;

template <typename T>
SysResult<void> set_option(int fd, int level, int option, const T& value, const char* name,
                           const std::string& interface) {
  if (::setsockopt(fd, level, option, &value, sizeof value) == 0) return {};
  return tl::unexpected(SysError::last(std::string("setsockopt ") + name, interface));
}

sockaddr_ll link_address(int index, std::uint16_t ethertype) {
  sockaddr_ll address{};
  address.sll_family = AF_PACKET;
  address.sll_protocol = htons(ethertype);
  address.sll_ifindex = index;
  return address;
}

SysResult<void> configure(int fd, int index, const std::string& interface) {
  if (SysResult<void> set = attach_membership_filter(fd, interface); !set) return set;
  const int on = 1;
  if (SysResult<void> set = set_option(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, on, "PACKET_IGNORE_OUTGOING", interface);
      !set) {
    return set;
  }
  // RFC 3376 §6 speaks of a router that listens to all multicast: older reports go to the group that they name.
  packet_mreq all{};
  all.mr_ifindex = index;
  all.mr_type = PACKET_MR_ALLMULTI;
  if (SysResult<void> set = set_option(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, all, "PACKET_ADD_MEMBERSHIP", interface);
      !set) {
    return set;
  }
  // Without CAP_NET_ADMIN the system's limit holds, and bursts are lost sooner.
  if (!set_option(fd, SOL_SOCKET, SO_SNDBUFFORCE, kSendBufferOctets, "SO_SNDBUFFORCE", interface)) {
    static_cast<void>(set_option(fd, SOL_SOCKET, SO_SNDBUF, kSendBufferOctets, "SO_SNDBUF", interface));
  }
  return {};
}

iovec vector_of(Bytes bytes) {
  // sendmmsg() only reads.
  return {const_cast<std::byte*>(bytes.data()), bytes.size()};
}

}  // namespace

struct LanPort::Impl {
  UniqueFd fd;
  int index = 0;
  std::uint64_t drops = 0;
  std::unique_ptr<std::byte[]> slots = std::make_unique_for_overwrite<std::byte[]>(kReceiveMax * kSlotOctets);
  std::vector<Bytes> received;

  std::array<mmsghdr, kSendMax> messages{};
  std::array<std::array<iovec, 2>, kSendMax> vectors{};
  std::array<sockaddr_ll, kSendMax> destinations{};

  bool prepare(std::size_t slot, const SplitDatagram& datagram);
  Taken send_prepared(std::size_t count);
};

/// False: no multicast datagram.
bool LanPort::Impl::prepare(std::size_t slot, const SplitDatagram& datagram) {
  const std::optional<IpAddress> group = datagram.group();
  if (!group) return false;
  sockaddr_ll& to = destinations[slot];
  to = link_address(index, ethertype_of(group->family()));
  const MacAddress mac = multicast_mac(*group);
  to.sll_halen = static_cast<unsigned char>(mac.size());
  std::memcpy(to.sll_addr, mac.data(), mac.size());
  vectors[slot] = {vector_of(datagram.head), vector_of(datagram.tail)};
  msghdr& header = messages[slot].msg_hdr;
  header = {};
  header.msg_name = &to;
  header.msg_namelen = sizeof to;
  header.msg_iov = vectors[slot].data();
  header.msg_iovlen = vectors[slot].size();
  return true;
}

/// One that is refused does not stop those behind it.
Taken LanPort::Impl::send_prepared(std::size_t count) {
  Taken taken;
  for (std::size_t at = 0; at < count;) {
    const int sent = ::sendmmsg(fd.get(), &messages[at], static_cast<unsigned>(count - at), 0);
    if (sent < 0 && errno == EINTR) continue;
    if (sent <= 0) {
      ++at;
      continue;
    }
    taken.datagrams += static_cast<std::size_t>(sent);
    for (int i = 0; i < sent; ++i) taken.octets += messages[at++].msg_len;
  }
  return taken;
}

LanPort::LanPort(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
LanPort::~LanPort() = default;
LanPort::LanPort(LanPort&&) noexcept = default;
LanPort& LanPort::operator=(LanPort&&) noexcept = default;

SysResult<LanPort> LanPort::open(const std::string& interface) {
  auto impl = std::make_unique<Impl>();
  const unsigned index = ::if_nametoindex(interface.c_str());
  if (index == 0) return tl::unexpected(SysError::last("listen on", interface));
  impl->index = static_cast<int>(index);
  // Without a protocol it hears nothing until bind(), when the filter is in place.
  impl->fd = UniqueFd(::socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!impl->fd) return tl::unexpected(SysError::last("open packet socket for", interface));
  if (SysResult<void> set = configure(impl->fd.get(), impl->index, interface); !set) return tl::unexpected(set.error());
  const sockaddr_ll address = link_address(impl->index, ETH_P_ALL);
  if (::bind(impl->fd.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    return tl::unexpected(SysError::last("bind packet socket to", interface));
  }
  return LanPort(std::move(impl));
}

SysResult<LanPort> LanPort::adopt(UniqueFd fd, const std::string& interface) {
  sockaddr_ll address{};
  socklen_t octets = sizeof address;
  if (::getsockname(fd.get(), reinterpret_cast<sockaddr*>(&address), &octets) != 0) {
    return tl::unexpected(SysError::last("take over packet socket of", interface));
  }
  const bool is_there = address.sll_family == AF_PACKET && address.sll_ifindex > 0 &&
                        static_cast<unsigned>(address.sll_ifindex) == ::if_nametoindex(interface.c_str());
  if (!is_there) return tl::unexpected(SysError{"take over packet socket of", interface, ENODEV});
  auto impl = std::make_unique<Impl>();
  impl->index = address.sll_ifindex;
  impl->fd = std::move(fd);
  return LanPort(std::move(impl));
}

int LanPort::fd() const { return impl_->fd.get(); }
int LanPort::index() const { return impl_->index; }
std::uint64_t LanPort::send_drops() const { return impl_->drops; }

std::span<const Bytes> LanPort::receive() {
  impl_->received.clear();
  while (impl_->received.size() < kReceiveMax) {
    std::byte* const slot = impl_->slots.get() + impl_->received.size() * kSlotOctets;
    const ssize_t octets = ::recv(impl_->fd.get(), slot, kSlotOctets, 0);
    // An interface that goes down says so once (ENETDOWN); asking takes the error away.
    if (octets < 0 && (errno == EINTR || errno == ENETDOWN)) continue;
    if (octets < 0) break;
    impl_->received.push_back(Bytes(slot, static_cast<std::size_t>(octets)));
  }
  return impl_->received;
}

Taken LanPort::send(std::span<const SplitDatagram> datagrams) {
  Taken taken;
  for (std::size_t at = 0; at < datagrams.size();) {
    std::size_t count = 0;
    for (; at < datagrams.size() && count < kSendMax; ++at) {
      if (impl_->prepare(count, datagrams[at])) ++count;
    }
    const Taken now = impl_->send_prepared(count);
    taken.datagrams += now.datagrams;
    taken.octets += now.octets;
  }
  impl_->drops += datagrams.size() - taken.datagrams;
  return taken;
}

}  // namespace amt
