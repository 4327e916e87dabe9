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

constexpr std::uint8_t kDrop = 19;
constexpr std::uint8_t kAccept = 20;

using Program = std::array<sock_filter, 21>;

/// `network`: where the IP header begins.
constexpr Program program_for(std::uint32_t network) {
  return {
      step(kLoadWord, kPacketType),
      jump(1, kJumpIfAtLeast, PACKET_OTHERHOST, kDrop, 2),  // also outgoing and looped back
      step(kLoadWord, kVlanTag),
      step(kAnd, 0xfff),
      jump(4, kJumpIfEqual, 0, 5, kDrop),  // VLAN 0 is a priority only: still this interface
      step(kLoadWord, kProtocol),
      jump(6, kJumpIfEqual, ETH_P_IP, 7, 13),
      step(kLoadWord, network + 16),  // IPv4 destination
      step(kAnd, 0xf0000000),
      jump(9, kJumpIfEqual, 0xe0000000, 10, kDrop),
      step(kLoadWord, network + 16),
      step(kAnd, 0xffffff00),
      jump(12, kJumpIfEqual, 0xe0000000, kDrop, kAccept),
      jump(13, kJumpIfEqual, ETH_P_IPV6, 14, kDrop),
      step(kLoadOctet, network + 24),  // IPv6 destination
      jump(15, kJumpIfEqual, 0xff, 16, kDrop),
      step(kLoadOctet, network + 25),
      step(kAnd, 0x0f),  // scope
      jump(18, kJumpIfAtLeast, 3, kAccept, kDrop),
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
