#include "io/membership_filter.hh"

#include <linux/if_ether.h>
#include <sys/socket.h>

#include <array>

#include "io/bpf.hh"
#include "ip/datagram.hh"

namespace amt {
namespace {

using namespace bpf;

constexpr std::uint8_t kDrop = 19;
constexpr std::uint8_t kAccept = 20;
/// ICMPv6: MLD's types are 130 to 132 and 143.
constexpr std::uint8_t kMldFirst = 130;
constexpr std::uint8_t kMldBehind = 133;
constexpr std::uint8_t kMldReportV2 = 143;

/// With SOCK_DGRAM the IP header begins at 0. MLD stands behind a hop-by-hop header (RFC 3810 §5), and hardly anything
/// else does. MLD without one is let through, to be refused where refusals are counted.
constexpr std::array<sock_filter, 21> kProgram = {
    step(kLoadWord, kPacketType),
    jump(1, kJumpIfAtLeast, PACKET_OTHERHOST, kDrop, 2),  // also outgoing and looped back
    step(kLoadWord, kVlanTag),
    step(kAnd, 0xfff),
    jump(4, kJumpIfEqual, 0, 5, kDrop),  // VLAN 0 is a priority only: still this interface
    step(kLoadWord, kProtocol),
    jump(6, kJumpIfEqual, ETH_P_IP, 7, 9),
    step(kLoadOctet, 9),  // IPv4 protocol
    jump(8, kJumpIfEqual, kProtocolIgmp, kAccept, kDrop),
    jump(9, kJumpIfEqual, ETH_P_IPV6, 10, kDrop),
    step(kLoadOctet, 6),  // IPv6 next header
    jump(11, kJumpIfEqual, kProtocolHopByHop, 12, 14),
    step(kLoadOctet, 40),  // and the header after that
    jump(13, kJumpIfEqual, kProtocolIcmpv6, kAccept, kDrop),
    jump(14, kJumpIfEqual, kProtocolIcmpv6, 15, kDrop),
    step(kLoadOctet, 40),  // ICMPv6 type
    jump(16, kJumpIfAtLeast, kMldBehind, 17, 18),
    jump(17, kJumpIfEqual, kMldReportV2, kAccept, kDrop),
    jump(18, kJumpIfAtLeast, kMldFirst, kAccept, kDrop),
    step(kReturn, 0),
    step(kReturn, kEverything),
};

}  // namespace

SysResult<void> attach_membership_filter(int fd, const std::string& interface) {
  std::array<sock_filter, kProgram.size()> program = kProgram;
  const sock_fprog filter{static_cast<unsigned short>(program.size()), program.data()};
  if (::setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof filter) == 0) return {};
  return tl::unexpected(SysError::last("attach filter for", interface));
}

}  // namespace amt
