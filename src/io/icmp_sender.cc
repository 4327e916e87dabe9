#include "io/icmp_sender.hh"

// <linux/icmp.h> has ICMP_FILTER, which <netinet/ip_icmp.h> lacks.
#include <linux/icmp.h>
#include <netinet/icmp6.h>

#include "sys/socket_address.hh"

namespace amt {
namespace {

/// RFC 1812 §4.3.2.5: ICMP errors have precedence 6, INTERNETWORK CONTROL; as DSCP this is CS6.
constexpr int kInternetworkControl = 0xc0;

SysResult<void> configure(int fd, Family family) {
  const bool v4 = family == Family::kIpv4;
  // A raw socket gets a copy of all ICMP that arrives, unless it wants none.
  icmp_filter nothing_v4{};
  nothing_v4.data = ~0U;
  icmp6_filter nothing_v6{};
  ICMP6_FILTER_SETBLOCKALL(&nothing_v6);
  const int filtered = v4 ? ::setsockopt(fd, SOL_RAW, ICMP_FILTER, &nothing_v4, sizeof nothing_v4)
                          : ::setsockopt(fd, IPPROTO_ICMPV6, ICMP6_FILTER, &nothing_v6, sizeof nothing_v6);
  if (filtered != 0) return tl::unexpected(SysError::last("setsockopt ICMP_FILTER"));
  const int traffic_class = kInternetworkControl;
  const int marked = v4 ? ::setsockopt(fd, IPPROTO_IP, IP_TOS, &traffic_class, sizeof traffic_class)
                        : ::setsockopt(fd, IPPROTO_IPV6, IPV6_TCLASS, &traffic_class, sizeof traffic_class);
  if (marked != 0) return tl::unexpected(SysError::last("setsockopt IP_TOS"));
  return {};
}

}  // namespace

SysResult<IcmpSender> IcmpSender::open(Family family) {
  const bool v4 = family == Family::kIpv4;
  UniqueFd fd(::socket(address_family(family), SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK,
                       v4 ? static_cast<int>(IPPROTO_ICMP) : static_cast<int>(IPPROTO_ICMPV6)));
  if (!fd) return tl::unexpected(SysError::last("socket", v4 ? "ICMP" : "ICMPv6"));
  if (SysResult<void> configured = configure(fd.get(), family); !configured) {
    return tl::unexpected(configured.error());
  }
  return IcmpSender(std::move(fd));
}

SysResult<void> IcmpSender::send(const IpAddress& to, Bytes message) {
  const SocketAddress address({to, 0});
  if (::sendto(fd_.get(), message.data(), message.size(), 0, address.data(), address.size()) >= 0) return {};
  return tl::unexpected(SysError::last("send ICMP", to.to_string()));
}

}  // namespace amt
