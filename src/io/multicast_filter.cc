#include "io/multicast_filter.hh"

#include <linux/if_ether.h>
#include <net/if.h>
#include <net/if_arp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <array>
#include <span>

#include "io/bpf.hh"

namespace amt {
namespace {

using namespace bpf;

constexpr std::uint8_t kDrop = 20;
constexpr std::uint8_t kAccept = 21;

using Program = std::array<sock_filter, 22>;

/// `network`: where the IP header begins.
constexpr Program program_for(std::uint32_t network) {
  return {
      step(kLoadWord, kPacketType),
      jump(1, kJumpIfAtLeast, PACKET_OTHERHOST, 2, 3),
      jump(2, kJumpIfEqual, PACKET_OUTGOING, 3, kDrop),  // not for other hosts, not looped back
      step(kLoadWord, kVlanTag),
      step(kAnd, 0xfff),
      jump(5, kJumpIfEqual, 0, 6, kDrop),  // VLAN 0 is a priority only: still this interface
      step(kLoadWord, kProtocol),
      jump(7, kJumpIfEqual, ETH_P_IP, 8, 14),
      step(kLoadWord, network + 16),  // IPv4 destination
      step(kAnd, 0xf0000000),
      jump(10, kJumpIfEqual, 0xe0000000, 11, kDrop),
      step(kLoadWord, network + 16),
      step(kAnd, 0xffffff00),
      jump(13, kJumpIfEqual, 0xe0000000, kDrop, kAccept),
      jump(14, kJumpIfEqual, ETH_P_IPV6, 15, kDrop),
      step(kLoadOctet, network + 24),  // IPv6 destination
      jump(16, kJumpIfEqual, 0xff, 17, kDrop),
      step(kLoadOctet, network + 25),
      step(kAnd, 0x0f),  // scope
      jump(19, kJumpIfAtLeast, 3, kAccept, kDrop),
      step(kReturn, 0),
      step(kReturn, kEverything),
  };
}

/// Loads relative to the network header reach only the linear part of a packet, which need not hold the IP header;
/// those from the front reach everything. So count from the front where the length of the link header is known.
std::uint32_t network_offset(int fd, const std::string& interface) {
  ifreq request{};
  interface.copy(request.ifr_name, IF_NAMESIZE - 1);
  if (::ioctl(fd, SIOCGIFHWADDR, &request) == 0 &&
      (request.ifr_hwaddr.sa_family == ARPHRD_ETHER || request.ifr_hwaddr.sa_family == ARPHRD_LOOPBACK)) {
    return ETH_HLEN;
  }
  return static_cast<std::uint32_t>(SKF_NET_OFF);
}

SysResult<void> attach(int fd, std::span<sock_filter> program, const std::string& interface) {
  const sock_fprog filter{static_cast<unsigned short>(program.size()), program.data()};
  if (::setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof filter) == 0) return {};
  return tl::unexpected(SysError::last("attach filter for", interface));
}

}  // namespace

SysResult<void> attach_multicast_filter(int fd, const std::string& interface) {
  Program program = program_for(network_offset(fd, interface));
  return attach(fd, program, interface);
}

SysResult<void> attach_drop_all(int fd) {
  std::array program{step(kReturn, 0)};
  return attach(fd, program, "a capture that nobody wants");
}

}  // namespace amt
