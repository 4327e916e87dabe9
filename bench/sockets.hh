#pragma once
/// What the benchmark's programs do to sockets; each ends the program when it fails.

#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string>

#include "arguments.hh"
#include "sys/socket_address.hh"
#include "sys/unique_fd.hh"

namespace amt {

inline void set_option(int fd, int level, int option, const auto& value, const char* name) {
  if (::setsockopt(fd, level, option, &value, sizeof value) != 0) Arguments::fail(name, std::strerror(errno));
}

/// A UDP socket with a large receive buffer; `flags` as for socket(2).
inline UniqueFd bind_socket(const Endpoint& local, int flags = 0) {
  UniqueFd socket(::socket(address_family(local.address.family()), SOCK_DGRAM | SOCK_CLOEXEC | flags, 0));
  const int octets = 16 << 20;
  // As much as we may have: where the first is forbidden, the system's limit.
  if (::setsockopt(socket.get(), SOL_SOCKET, SO_RCVBUFFORCE, &octets, sizeof octets) != 0) {
    set_option(socket.get(), SOL_SOCKET, SO_RCVBUF, octets, "SO_RCVBUF");
  }
  const SocketAddress address(local);
  if (::bind(socket.get(), address.data(), address.size()) != 0) Arguments::fail("bind", std::strerror(errno));
  return socket;
}

/// An ordinary program's join. From other interfaces, by others' joins, the socket gets nothing.
inline void join_natively(int fd, const std::string& interface, const IpAddress& source, const IpAddress& group) {
  group_source_req request{};
  request.gsr_interface = ::if_nametoindex(interface.c_str());
  if (request.gsr_interface == 0) Arguments::fail("no such interface", interface.c_str());
  const SocketAddress group_address({group, 0});
  const SocketAddress source_address({source, 0});
  std::memcpy(&request.gsr_group, group_address.data(), group_address.size());
  std::memcpy(&request.gsr_source, source_address.data(), source_address.size());
  set_option(fd, IPPROTO_IP, IP_MULTICAST_ALL, int{0}, "IP_MULTICAST_ALL");
  set_option(fd, IPPROTO_IP, MCAST_JOIN_SOURCE_GROUP, request, "MCAST_JOIN_SOURCE_GROUP");
}

/// The address `steps` after `first`, counted in its last four octets.
inline IpAddress nth_address(const IpAddress& first, std::uint32_t steps) {
  std::array<std::byte, 16> octets = first.mapped_octets();
  for (std::size_t i = octets.size(); i-- > octets.size() - 4;) {
    steps += std::to_integer<std::uint32_t>(octets[i]);
    octets[i] = static_cast<std::byte>(steps & 0xff);
    steps >>= 8;
  }
  return IpAddress::from_v6(octets);
}

/// Destination `i`, counted from 0: a further port of a unicast address, a further group after a multicast one.
inline SocketAddress destination(const Endpoint& first, std::uint32_t i) {
  if (first.address.is_multicast()) return SocketAddress({nth_address(first.address, i), first.port});
  return SocketAddress({first.address, static_cast<std::uint16_t>(first.port + i)});
}

}  // namespace amt
