#include "io/multicast_sender.hh"

#include <ifaddrs.h>
#include <net/if.h>

#include <cerrno>
#include <cstring>
#include <memory>

#include "io/peer_error.hh"
#include "sys/socket_address.hh"

namespace amt {
namespace {

SysResult<void> set_option(int fd, int level, int option, const void* value, std::size_t octets, const char* name) {
  if (::setsockopt(fd, level, option, value, static_cast<socklen_t>(octets)) == 0) return {};
  return tl::unexpected(SysError::last("setsockopt", name));
}

SysResult<void> choose_interface(int fd, Family family, const std::string& interface) {
  const unsigned index = ::if_nametoindex(interface.c_str());
  if (index == 0) return tl::unexpected(SysError::last("interface", interface));
  if (family == Family::kIpv4) {
    ip_mreqn request{};
    request.imr_ifindex = static_cast<int>(index);
    return set_option(fd, IPPROTO_IP, IP_MULTICAST_IF, &request, sizeof request, "IP_MULTICAST_IF");
  }
  const int value = static_cast<int>(index);
  return set_option(fd, IPPROTO_IPV6, IPV6_MULTICAST_IF, &value, sizeof value, "IPV6_MULTICAST_IF");
}

/// The first address of `family` on `interface` that is not link-local.
std::optional<IpAddress> address_of(const std::string& interface, Family family) {
  ifaddrs* list = nullptr;
  if (::getifaddrs(&list) != 0) return std::nullopt;
  const std::unique_ptr<ifaddrs, void (*)(ifaddrs*)> owned(list, ::freeifaddrs);
  for (const ifaddrs* entry = list; entry != nullptr; entry = entry->ifa_next) {
    if (interface != entry->ifa_name || entry->ifa_addr == nullptr) continue;
    if (entry->ifa_addr->sa_family != address_family(family)) continue;
    SocketAddress address;
    std::memcpy(address.data(), entry->ifa_addr, family == Family::kIpv4 ? sizeof(sockaddr_in) : sizeof(sockaddr_in6));
    const std::optional<Endpoint> endpoint = address.endpoint();
    if (endpoint && !endpoint->address.is_link_local()) return endpoint->address;
  }
  return std::nullopt;
}

/// An error that comes as often as this has another reason.
constexpr int kTriesMax = 16;

SysResult<void> configure(int fd, const MulticastSenderOptions& options) {
  const Family family = options.group.address.family();
  const bool v4 = family == Family::kIpv4;
  const int level = v4 ? IPPROTO_IP : IPPROTO_IPV6;
  const int on = 1;
  const int ttl = options.ttl;
  if (auto set = set_option(fd, level, v4 ? IP_MULTICAST_LOOP : IPV6_MULTICAST_LOOP, &on, sizeof on, "MULTICAST_LOOP");
      !set) {
    return set;
  }
  if (auto set = set_option(fd, level, v4 ? IP_MULTICAST_TTL : IPV6_MULTICAST_HOPS, &ttl, sizeof ttl, "MULTICAST_TTL");
      !set) {
    return set;
  }
  // A datagram above the interface's MTU is fragmented, and an ICMP error about the path changes nothing.
  const int discover = v4 ? IP_PMTUDISC_OMIT : IPV6_PMTUDISC_OMIT;
  if (auto set =
          set_option(fd, level, v4 ? IP_MTU_DISCOVER : IPV6_MTU_DISCOVER, &discover, sizeof discover, "MTU_DISCOVER");
      !set) {
    return set;
  }
  return options.interface ? choose_interface(fd, family, *options.interface) : SysResult<void>{};
}

}  // namespace

SysResult<MulticastSender> MulticastSender::open(const MulticastSenderOptions& options) {
  const std::string group = options.group.to_string();
  UniqueFd fd(::socket(address_family(options.group.address.family()), SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!fd) return tl::unexpected(SysError::last("socket", group));
  if (auto configured = configure(fd.get(), options); !configured) return tl::unexpected(configured.error());
  if (options.source) {
    const SocketAddress source(Endpoint{*options.source, 0});
    if (::bind(fd.get(), source.data(), source.size()) != 0) {
      return tl::unexpected(SysError::last("bind", options.source->to_string()));
    }
  }
  const SocketAddress to(options.group);
  if (::connect(fd.get(), to.data(), to.size()) != 0) return tl::unexpected(SysError::last("connect", group));
  SocketAddress local;
  socklen_t length = SocketAddress::capacity();
  if (::getsockname(fd.get(), local.data(), &length) != 0) return tl::unexpected(SysError::last("getsockname", group));
  const Endpoint from = local.endpoint().value_or(Endpoint{});
  if (from.address.is_unspecified() && options.interface && !options.source) {
    // The kernel passes over addresses of host scope, 127.0.0.1 on lo, and would send from 0.0.0.0.
    MulticastSenderOptions with_source = options;
    with_source.source = address_of(*options.interface, options.group.address.family());
    if (with_source.source) return open(with_source);
  }
  if (from.address.is_unspecified()) return tl::unexpected(SysError{"connect", group, EADDRNOTAVAIL});
  return MulticastSender(std::move(fd), from, options.group);
}

SysResult<void> MulticastSender::send(Bytes payload) {
  // ICMP errors about this host's datagrams can be forged. The next send fails with the error, and takes it away.
  for (int tries = 1; ::send(fd_.get(), payload.data(), payload.size(), 0) < 0; ++tries) {
    const int code = errno;
    if (tries == kTriesMax || !concerns_one_peer(code))
      return tl::unexpected(SysError{"send", group_.to_string(), code});
  }
  return {};
}

}  // namespace amt
